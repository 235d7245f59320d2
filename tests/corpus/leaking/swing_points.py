"""Buys swing lows and sells swing highs: each needs five later bars to be one."""


def signals(bars, order=5):
    window = 2 * order + 1
    low = bars.low == bars.low.rolling(window, center=True).min()
    high = bars.high == bars.high.rolling(window, center=True).max()
    return low, high
