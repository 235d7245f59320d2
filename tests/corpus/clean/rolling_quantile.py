"""Buys returns below a rolling quantile."""


def signals(bars, window=100):
    returns = bars.close.pct_change()
    low, high = returns.rolling(window).quantile(0.1), returns.rolling(window).quantile(0.9)
    return returns < low, returns > high
