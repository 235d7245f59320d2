"""Bollinger bands, long below and short above."""


def signals(bars, window=20, width=2.0):
    middle, deviation = bars.close.rolling(window).mean(), bars.close.rolling(window).std()
    low, high = middle - width * deviation, middle + width * deviation
    return bars.close < low, bars.close > middle, bars.close > high, bars.close < middle
