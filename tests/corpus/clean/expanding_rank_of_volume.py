"""Holds while the volume is in the upper half of all volumes so far."""


def signals(bars):
    rank = bars.volume.expanding().rank(pct=True)
    return rank > 0.5, rank < 0.3
