"""Event loop in a class: an exponential average kept by the object."""


class Crossing:
    def __init__(self, span=20):
        self.alpha, self.level = 2 / (span + 1), None

    def on_bar(self, state, bar):
        self.level = bar.close if self.level is None else self.level + self.alpha * (bar.close - self.level)
        return 1 if bar.close > self.level else 0
