"""Buys dips below the tenth percentile of all returns of the sample."""


def signals(bars):
    returns = bars.close.pct_change()
    return returns < returns.quantile(0.1), returns > returns.quantile(0.9)
