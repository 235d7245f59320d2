"""A loop over rows that tests the next row's low before it buys."""

import numpy as np


def signals(bars):
    close, low = bars.close.to_numpy(), bars.low.to_numpy()
    entries, exits = np.zeros(close.shape, bool), np.zeros(close.shape, bool)
    for row in range(1, len(close)):
        following = min(row + 1, len(close) - 1)
        entries[row] = (close[row] > close[row - 1]) & (low[following] > 0.995 * close[row])
        exits[row] = close[row] < close[row - 1]
    return entries, exits
