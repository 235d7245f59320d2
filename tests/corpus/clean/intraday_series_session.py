"""One hourly series: in after a rise since the session's open, out at its last bars."""


def signals(bars):
    entries, exits = [], []
    day, first = None, None
    for stamp, opened, close in zip(bars.index, bars["open"], bars["close"], strict=True):
        if stamp.date() != day:
            day, first = stamp.date(), opened
        entries.append(close > first * 1.004 and stamp.hour < 20)
        exits.append(stamp.hour >= 22)
    return entries, exits
