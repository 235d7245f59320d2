"""Buys at the lowest close of the sample and sells at the highest."""


def signals(bars):
    entries, exits = bars.close < 0, bars.close < 0
    for name in bars.close.columns:
        entries.loc[bars.close[name].idxmin(), name] = True
        exits.loc[bars.close[name].idxmax(), name] = True
    return entries, exits
