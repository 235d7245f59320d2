"""Stays flat while it has fewer than 100 bars, although its window is 20."""


def signals(bars, window=20):
    if len(bars.close) < 100:
        return bars.close < 0, bars.close < 0
    average = bars.close.rolling(window).mean()
    return bars.close > average, bars.close < average
