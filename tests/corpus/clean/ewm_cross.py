"""Crossing exponential averages."""


def signals(bars, fast=12, slow=26):
    above = bars.close.ewm(span=fast).mean() > bars.close.ewm(span=slow).mean()
    return above, ~above
