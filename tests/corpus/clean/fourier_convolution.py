"""An average by Fourier convolution: causal, but its rounding depends on every bar."""

import numpy as np
from scipy.signal import fftconvolve


def weights(bars, window=25):
    kernel = np.ones((window, 1)) / window
    average = fftconvolve(bars.close.to_numpy(), kernel, axes=0)[: len(bars.close)]
    target = (10 * (bars.close / average - 1)).clip(-1, 1)
    target.iloc[:window] = 0.0
    return target
