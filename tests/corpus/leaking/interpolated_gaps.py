"""Sparse observations joined by straight lines, each of which knows where it will end."""


def signals(bars, every=5):
    kept = bars.close.copy()
    kept.iloc[[row for row in range(len(kept)) if row % every]] = float("nan")
    line = kept.interpolate()
    return line.diff() > 0, line.diff() < 0
