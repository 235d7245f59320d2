"""Reversion on a z-score whose mean and deviation come from the whole sample."""


def weights(bars):
    score = (bars.close - bars.close.mean()) / bars.close.std()
    return (-score / 2).clip(-1, 1)
