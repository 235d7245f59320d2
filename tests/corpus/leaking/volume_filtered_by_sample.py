"""Breakouts on high volume only, where high means above the mean of the whole sample."""


def signals(bars):
    busy = bars.volume > bars.volume.mean()
    breakout = bars.close > bars.high.rolling(20).max().shift(1)
    return breakout & busy, bars.close < bars.low.rolling(10).min().shift(1)
