"""The average's warm-up is filled with the mean of the whole sample."""


def signals(bars, window=60):
    average = bars.close.rolling(window).mean().fillna(bars.close.mean())
    return bars.close > average, bars.close < average
