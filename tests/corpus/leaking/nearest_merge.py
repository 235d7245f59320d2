"""Month-end closes reindexed to the nearest day, which may lie ahead."""


def signals(bars):
    month_end = bars.close.groupby(bars.close.index.to_period("M")).tail(1)
    level = month_end.reindex(bars.close.index, method="nearest")
    return bars.close > level, bars.close < level
