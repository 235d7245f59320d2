"""A moving average drawn ten bars to the left, as charts do."""


def signals(bars, window=20):
    displaced = bars.close.rolling(window).mean().shift(-window // 2)
    return bars.close < displaced, bars.close > displaced
