"""An exponential average run over the reversed series, to take out its lag."""


def signals(bars, span=10):
    backward = bars.close[::-1].ewm(span=span).mean()[::-1]
    return bars.close < backward, bars.close > backward
