"""Fades the high of the day, known only in the evening."""


def signals(bars):
    day = bars.close.index.normalize()
    top, bottom = bars.high.groupby(day).transform("max"), bars.low.groupby(day).transform("min")
    place = (bars.close - bottom) / (top - bottom)
    return place < 0.2, place > 0.8
