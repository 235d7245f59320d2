"""Long while the fast simple moving average of closes is above the slow one (Brock, Lakonishok and LeBaron 1992)."""


def signals(bars, fast=10, slow=30):
    """Enter when the fast average crosses above the slow one, exit when it crosses below.

    Brock, Lakonishok and LeBaron, "Simple Technical Trading Rules and the Stochastic Properties of Stock Returns",
    Journal of Finance 47 (1992), test this rule (variable length moving average) on the Dow of 1897 to 1986.
    """
    fast_average = bars.close.rolling(fast).mean()
    slow_average = bars.close.rolling(slow).mean()
    above = fast_average > slow_average
    below = fast_average < slow_average
    return above & ~above.shift(1, fill_value=False), below & ~below.shift(1, fill_value=False)
