"""A weekly table, merged on the date at which each week starts."""

import pandas as pd


def signals(bars):
    close = bars.close
    week = close.index.to_period("W")
    table = close.groupby(week).last().rolling(2).mean()
    table.index = table.index.start_time
    daily = table.reindex(pd.DatetimeIndex(week.start_time))
    daily.index = close.index
    return close < daily, close > daily
