"""A loop over one series that marks a low when the bar after it has turned."""


def signals(bars):
    closes = list(bars["close"])
    entries, exits = [], []
    for at, close in enumerate(closes):
        before, after = closes[max(0, at - 1)], closes[min(len(closes) - 1, at + 1)]
        entries.append(close < before and close < after)
        exits.append(close > before and close > after)
    return entries, exits
