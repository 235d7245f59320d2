"""A loop over rows that remembers its entry price."""

import numpy as np


def weights(bars):
    close = bars.close.to_numpy()
    target = np.zeros(close.shape)
    for column in range(close.shape[1]):
        entry = 0.0
        for row in range(20, len(close)):
            price = close[row, column]
            if not entry and price > close[row - 20 : row, column].max():
                entry = price
            elif entry and price < 0.95 * entry:
                entry = 0.0
            target[row, column] = float(entry > 0)
    return target
