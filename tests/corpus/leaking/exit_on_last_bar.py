"""Closes the position on the last bar, which nobody knows to be the last."""


def signals(bars):
    average = bars.close.rolling(30).mean()
    entries, exits = bars.close > average, bars.close < average
    exits.iloc[-1] = True
    entries.iloc[-1] = False
    return entries, exits
