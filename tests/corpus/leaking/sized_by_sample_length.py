"""Scales in evenly until the last bar of the data, wherever that is."""

import numpy as np


def weights(bars):
    ramp = np.arange(1, len(bars.close) + 1) / len(bars.close)
    return bars.close * 0 + ramp[:, None]
