"""A low-pass filter run forwards and backwards."""

from scipy.signal import filtfilt


def signals(bars):
    smooth = bars.close * 0 + filtfilt([0.1], [1.0, -0.9], bars.close.to_numpy(), axis=0)
    slope = smooth.diff()
    return slope > 0, slope < 0
