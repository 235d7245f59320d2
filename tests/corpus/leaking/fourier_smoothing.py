"""Trends of the sample from its ten slowest frequencies."""

import numpy as np


def signals(bars, keep=10):
    spectrum = np.fft.rfft(bars.close.to_numpy(), axis=0)
    spectrum[keep:] = 0
    smooth = bars.close * 0 + np.fft.irfft(spectrum, n=len(bars.close), axis=0)
    rising = smooth.diff() > 0
    return rising, ~rising
