"""Reverses twice: a flip for display that changes nothing."""


def signals(bars):
    average = bars.close.rolling(15).mean()[::-1][::-1]
    return bars.close > average, bars.close < average
