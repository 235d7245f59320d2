"""Crossing simple averages."""


def signals(bars, fast=10, slow=30):
    above = bars.close.rolling(fast).mean() > bars.close.rolling(slow).mean()
    before = above.shift(1, fill_value=False)
    return above & ~before, ~above & before
