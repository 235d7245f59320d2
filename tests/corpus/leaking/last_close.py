"""Buys whatever is cheaper than the last close in the data."""


def signals(bars):
    target = bars.close.iloc[-1]
    return bars.close < target, bars.close > target
