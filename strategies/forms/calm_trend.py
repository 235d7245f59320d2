"""Hold an uptrend, and the less of it the wilder it is: target weights, with ranges for the parameters."""

PARAMETERS = {"lag": (20, 500), "window": (5, 250), "target": (0.01, 1.0)}


def weights(bars, lag=120, window=40, target=0.15):
    """Long while the close is above that of `lag` bars ago, sized to a volatility of `target` a year.

    Trend and sizing are those of Moskowitz, Ooi and Pedersen, "Time Series Momentum", Journal of Financial Economics
    104 (2012), here long only, without credit, and for 252 bars a year.
    """
    volatility = bars.close.pct_change().rolling(window).std() * 252**0.5
    size = (target / volatility.clip(lower=0.01)).clip(upper=1.0)
    return size.where(bars.close > bars.close.shift(lag), 0.0).fillna(0.0).round(1)
