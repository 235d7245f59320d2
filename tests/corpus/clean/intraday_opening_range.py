"""Breaks out of the first three hours' range and is flat by the evening."""


def signals(bars):
    day, hour = bars.close.index.normalize(), bars.close.index.hour
    opening = bars.close * 0 + (hour < 3)[:, None] > 0
    top = bars.high.where(opening).groupby(day).cummax().groupby(day).ffill()
    entries = (bars.close > top) & ~opening
    exits = bars.close * 0 + (hour == 22)[:, None] > 0
    return entries, exits
