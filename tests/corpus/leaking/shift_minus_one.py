"""Buys before an up bar: the next close is read with shift(-1)."""


def signals(bars):
    up = bars.close.shift(-1) > bars.close
    return up, ~up
