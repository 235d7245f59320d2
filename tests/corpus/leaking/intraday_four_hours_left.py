"""Four-hour bars labelled on the left edge and read before they are complete."""


def signals(bars):
    slow = bars.close.resample("4h").last().dropna()
    trend = slow.rolling(3).mean().reindex(bars.close.index, method="ffill")
    return bars.close > trend, bars.close < trend
