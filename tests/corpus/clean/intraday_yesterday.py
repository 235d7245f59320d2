"""Above yesterday's close by daily bars that are shifted before they are carried forward."""


def signals(bars):
    daily = bars.close.resample("1D").last().shift(1)
    known = daily.reindex(bars.close.index, method="ffill")
    return bars.close > known, bars.close < known
