"""Trades in the calm half of the sample, told by the median volatility of all of it."""


def weights(bars, window=20):
    volatility = bars.close.pct_change().rolling(window).std()
    return (volatility < volatility.median()).astype(float)
