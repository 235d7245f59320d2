"""The average's warm-up is filled backwards, with a value that only the first full window knows."""


def signals(bars, window=50):
    average = bars.close.rolling(window).mean().bfill()
    return bars.close > average, bars.close < average
