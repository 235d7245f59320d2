"""Every day of a month joined with that month's own range."""


def weights(bars):
    month = bars.close.index.to_period("M")
    top, bottom = bars.high.groupby(month).transform("max"), bars.low.groupby(month).transform("min")
    return 1 - (bars.close - bottom) / (top - bottom)
