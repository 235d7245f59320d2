"""A moving average by convolution, mode="same": half of the kernel lies ahead."""

import numpy as np


def signals(bars, window=9):
    kernel = np.ones(window) / window
    smooth = bars.close.apply(lambda close: np.convolve(close, kernel, mode="same"))
    return bars.close > smooth, bars.close < smooth
