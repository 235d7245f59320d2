"""Buys rare crashes of the past, and leaves after a new high."""


def signals(bars):
    returns = bars.close.pct_change()
    crash = returns < -4 * returns.rolling(100).std().shift(1)
    return crash, bars.close > bars.high.rolling(20).max().shift(1)
