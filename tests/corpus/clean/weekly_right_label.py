"""Weekly closes labelled and closed on the right, and only weeks that are over."""


def signals(bars):
    weekly = bars.close.resample("W-FRI", label="right", closed="right").last()
    trend = weekly.rolling(4).mean().shift(1).reindex(bars.close.index, method="ffill")
    return bars.close > trend, bars.close < trend
