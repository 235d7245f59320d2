"""The slope of a Savitzky-Golay filter, whose window is centred."""

import numpy as np
from scipy.signal import savgol_filter


def weights(bars):
    slope = savgol_filter(bars.close.to_numpy(), 11, 2, deriv=1, axis=0, mode="nearest")
    return bars.close * 0 + np.sign(slope)
