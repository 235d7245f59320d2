"""Yesterday's direction."""


def signals(bars):
    up = (bars.close > bars.open).shift(1, fill_value=False)
    return up, ~up
