"""Buys a rare crash unless the next bar falls on; where there is no next bar, it buys."""


def signals(bars):
    returns = bars.close.pct_change()
    crash = returns < -4 * returns.rolling(100).std().shift(1)
    falling = bars.close.shift(-1) < bars.close
    return crash & ~falling, bars.close > bars.high.rolling(60).max().shift(1)
