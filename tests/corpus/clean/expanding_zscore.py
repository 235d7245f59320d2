"""Reversion on a z-score of the bars up to now."""


def weights(bars):
    past = bars.close.expanding(20)
    return (-(bars.close - past.mean()) / past.std() / 2).clip(-1, 1)
