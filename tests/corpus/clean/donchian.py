"""Breakout of the highs before, exit below the lows before."""


def signals(bars, entry=20, exit=10):
    top, bottom = bars.high.rolling(entry).max().shift(1), bars.low.rolling(exit).min().shift(1)
    return bars.close > top, bars.close < bottom
