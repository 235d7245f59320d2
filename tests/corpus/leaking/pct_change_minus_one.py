"""The return to come, by pct_change(-1)."""


def weights(bars):
    coming = -bars.close.pct_change(-1).fillna(0.0)
    return (50 * coming).clip(-1, 1)
