"""Needs 200 bars before it says anything, and raises while it has fewer."""


def signals(bars, window=200):
    if len(bars.close) < window:
        raise ValueError(f"{window} bars are needed")
    average = bars.close.rolling(window).mean()
    return bars.close > average, bars.close < average
