"""The momentum of twelve months but the last; no weight before."""


def weights(bars):
    return (bars.close.shift(21) / bars.close.shift(252) - 1).clip(-1, 1)
