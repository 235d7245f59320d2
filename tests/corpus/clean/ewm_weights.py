"""A weight proportional to an exponentially weighted mean over its deviation."""


def weights(bars, span=20):
    returns = bars.close.pct_change().fillna(0.0)
    mean, deviation = returns.ewm(span=span).mean(), returns.ewm(span=span).std()
    return (mean / deviation).clip(-1, 1).fillna(0.0)
