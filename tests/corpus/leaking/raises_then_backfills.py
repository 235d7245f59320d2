"""Refuses fewer than 120 bars and then fills its warm-up backwards."""


def signals(bars, window=120):
    if len(bars.close) < window:
        raise ValueError(f"{window} bars are needed")
    average = bars.close.rolling(window).mean().bfill()
    return bars.close > average, bars.close < average
