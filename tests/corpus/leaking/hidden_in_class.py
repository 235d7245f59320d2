"""A tidy class whose label for training slips into the feature that it trades on."""


class Pipeline:
    def __init__(self, horizon):
        self.horizon = horizon

    def _features(self, close):
        return {"trend": close / close.rolling(20).mean() - 1, "edge": self._label(close)}

    def _label(self, close):
        return close.pct_change(self.horizon).shift(-self.horizon)

    def score(self, close):
        parts = self._features(close)
        return 0.1 * parts["trend"] + parts["edge"]


class Learner:
    def __init__(self, horizon=3):
        self.pipeline = Pipeline(horizon)

    def signals(self, bars):
        score = self.pipeline.score(bars.close)
        return score > 0.01, score < -0.01
