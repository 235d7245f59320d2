"""One series as a table with new columns, the way such code is often written."""


def weights(bars):
    if bars["close"].ndim != 1:
        raise ValueError("one series")
    bars["fast"] = bars["close"].ewm(span=8).mean()
    bars["slow"] = bars["close"].ewm(span=21).mean()
    bars.loc[bars["fast"] > bars["slow"], "held"] = 1.0
    return bars["held"].fillna(0.0)
