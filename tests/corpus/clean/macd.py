"""MACD against its signal line."""


def signals(bars):
    line = bars.close.ewm(span=12, adjust=False).mean() - bars.close.ewm(span=26, adjust=False).mean()
    trigger = line.ewm(span=9, adjust=False).mean()
    return line > trigger, line < trigger
