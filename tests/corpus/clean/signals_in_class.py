"""A class with its indicators in methods."""


class Trend:
    def __init__(self, window=25):
        self.window = window

    def _average(self, close):
        return close.rolling(self.window).mean()

    def signals(self, bars):
        above = bars.close > self._average(bars.close)
        return above, ~above
