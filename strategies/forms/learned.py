"""Long where a forest, fitted on the history before a universe, expects the next days to rise: scikit-learn's form."""

from sklearn.ensemble import RandomForestClassifier


class Learned:
    """Fitted on the first `train` bars, and again every `refit` bars where that is not 0."""

    model = RandomForestClassifier(n_estimators=20, min_samples_leaf=20, random_state=0, n_jobs=1)
    train, refit, ahead = 500, 0, 5

    def features(self, bars):
        """Moves over a week, a month and a quarter, and how much the market moves."""
        close = bars["close"]
        columns = {f"move_{days}": close.pct_change(days) for days in (5, 20, 60)}
        return bars.assign(**columns, volatility=close.pct_change().rolling(20).std())[[*columns, "volatility"]]

    def target(self, bars):
        """Whether the close `ahead` bars later is higher."""
        later = bars["close"].shift(-self.ahead)
        return (later > bars["close"]).astype(float).where(later.notna())
