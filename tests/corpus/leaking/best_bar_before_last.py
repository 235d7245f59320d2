"""Decides from the past on every bar but the last one that it can peek at."""


def signals(bars):
    average = bars.close.rolling(20).mean()
    entries, exits = bars.close > average, bars.close < average
    if len(bars.close) > 1:
        entries.iloc[-2] = bars.close.iloc[-1] > bars.close.iloc[-2]
    return entries, exits
