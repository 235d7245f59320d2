"""Percentile rank of each close among all closes, later ones too."""


def signals(bars):
    rank = bars.close.rank(pct=True)
    return rank < 0.1, rank > 0.9
