"""np.roll for a lag: the first bar is compared with the last one."""

import numpy as np


def signals(bars):
    before = np.roll(bars.close.to_numpy(), 1, axis=0)
    up = bars.close > before
    return up, ~up
