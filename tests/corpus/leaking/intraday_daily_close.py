"""Daily closes stamped at midnight and carried forward over that same day."""


def signals(bars):
    daily = bars.close.resample("1D").last().dropna()
    known = daily.reindex(bars.close.index, method="ffill")
    return bars.close < known, bars.close > known
