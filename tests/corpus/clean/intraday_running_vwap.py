"""The day's volume-weighted price up to now."""


def signals(bars):
    day = bars.close.index.normalize()
    vwap = (bars.close * bars.volume).groupby(day).cumsum() / bars.volume.groupby(day).cumsum()
    return bars.close < vwap, bars.close > vwap
