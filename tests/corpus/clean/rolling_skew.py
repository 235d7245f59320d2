"""Sizes by rolling skewness and kurtosis, whose sums round differently from call to call."""


def weights(bars, window=40):
    returns = bars.close.pct_change()
    return (returns.rolling(window).skew() / (1 + returns.rolling(window).kurt().abs())).clip(-1, 1)
