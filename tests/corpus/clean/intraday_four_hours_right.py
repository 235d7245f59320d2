"""Four-hour bars, stamped at the last hour that they hold, read at that hour."""


def signals(bars):
    slow = bars.close.resample("4h", label="right", closed="right").last().dropna()
    trend = slow.rolling(3).mean().reindex(bars.close.index, method="ffill")
    return bars.close > trend, bars.close < trend
