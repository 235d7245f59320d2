"""Holds the sign of the last large move."""

import numpy as np


def weights(bars, threshold=0.02):
    returns = bars.close.pct_change()
    return np.sign(returns.where(returns.abs() > threshold)).ffill().fillna(0.0)
