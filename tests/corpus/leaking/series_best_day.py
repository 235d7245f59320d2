"""One series: leaves at the highest close of all, found first."""


def signals(bars):
    best = bars["close"].idxmax()
    entries = [close > first for close, first in zip(bars["close"], bars["open"], strict=True)]
    return entries, [at == best for at in bars.index]
