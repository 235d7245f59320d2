"""One series as a table: a new column scaled by the figures of all its bars."""


def weights(bars):
    if bars["close"].ndim != 1:
        raise ValueError("one series")
    bars["z"] = (bars["close"] - bars["close"].mean()) / bars["close"].std()
    return (-bars["z"] / 3).clip(-1, 1)
