"""Trades the close against a smooth line whose window reaches five bars ahead."""


def signals(bars, window=11):
    smooth = bars.close.rolling(window, center=True).mean()
    return bars.close > smooth, bars.close < smooth
