"""The volume-weighted price of the whole day, used from its first bar on."""


def signals(bars):
    day = bars.close.index.normalize()
    value = (bars.close * bars.volume).groupby(day).transform("sum")
    vwap = value / bars.volume.groupby(day).transform("sum")
    return bars.close < vwap, bars.close > vwap
