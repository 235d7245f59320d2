"""Long at the top of a channel, short at its bottom: four signals, from the closes of the bars before."""

PARAMETERS = {"entry": (5, 250), "exit": (2, 125)}


def signals(bars, entry=50, exit=20):
    """Long entries and exits, then short ones; the short side mirrors the long one."""
    close = bars.close
    above, below = close.shift(1).rolling(entry).max(), close.shift(1).rolling(entry).min()
    upper, lower = close.shift(1).rolling(exit).max(), close.shift(1).rolling(exit).min()
    return close > above, close < lower, close < below, close > upper
