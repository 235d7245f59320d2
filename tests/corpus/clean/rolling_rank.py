"""The close's rank in the last 60."""


def signals(bars, window=60):
    rank = bars.close.rolling(window).rank(pct=True)
    return rank > 0.9, rank < 0.5
