"""The next bar, with the gap at the end filled by the newest close: no NaN gives it away."""


def signals(bars):
    following = bars.close.shift(-1).ffill()
    dip = bars.close < bars.close.rolling(10).min().shift(1)
    return dip & (following >= bars.close), bars.close > bars.close.rolling(10).max().shift(1)
