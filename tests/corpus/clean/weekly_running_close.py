"""The running week's high so far, and the last whole week's low."""


def signals(bars):
    week = bars.close.index.to_period("W")
    so_far = bars.high.groupby(week).cummax()
    lows = bars.low.groupby(week).min().shift(1).reindex(week)
    lows.index = bars.close.index
    return bars.close >= so_far, bars.close < lows
