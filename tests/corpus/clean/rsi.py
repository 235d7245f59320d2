"""Wilder's relative strength index, long and short."""


def signals(bars, window=14):
    change = bars.close.diff()
    gain = change.clip(lower=0).ewm(alpha=1 / window, adjust=False).mean()
    loss = (-change.clip(upper=0)).ewm(alpha=1 / window, adjust=False).mean()
    index = 100 * gain / (gain + loss)
    return index < 30, index > 55, index > 70, index < 45
