"""Trades the gap between this close and the next open before it opens."""


def signals(bars):
    gap = bars.open.shift(-1) / bars.close - 1
    return gap > 0.002, gap < -0.002
