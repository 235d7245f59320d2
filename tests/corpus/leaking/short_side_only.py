"""A long side from the past, and a short side that knows the close five bars on."""


def signals(bars):
    average = bars.close.rolling(30).mean()
    lower = bars.close.shift(-5) < 0.97 * bars.close
    return bars.close > average, bars.close < average, lower, bars.close > bars.close.rolling(5).mean()
