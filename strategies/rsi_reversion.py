"""Buy what has fallen too far, by Wilder's relative strength index, and sell once it has recovered."""


def signals(bars, window=14, low=30.0, high=55.0):
    """Enter while the index is below `low`, exit while it is above `high`.

    Index and smoothing (each bar moves the average by 1/window) are from Wilder, "New Concepts in Technical Trading
    Systems" (1978); the averages begin with the first change here, which the warm-up makes good.
    """
    change = bars.close.diff()
    gain = change.clip(lower=0).ewm(alpha=1 / window, min_periods=window, adjust=False).mean()
    loss = (-change).clip(lower=0).ewm(alpha=1 / window, min_periods=window, adjust=False).mean()
    rsi = 100 * gain / (gain + loss)
    return rsi < low, rsi > high
