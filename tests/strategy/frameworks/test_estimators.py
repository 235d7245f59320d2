"""Classes with a scikit-learn model: fitted on what was known, and on nothing that came later."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier

from stresslab.core.errors import StrategyError
from stresslab.data.universes import Universes
from stresslab.strategy import load_strategies
from stresslab.strategy.detect_style import detect_call_style
from stresslab.strategy.frameworks.estimators import adapted, is_theirs
from stresslab.strategy.lookahead.check import find_lookahead
from tests.make.bars import make_bars

BARS = make_bars(300)
FRAME = BARS.frame


class Mean:
    """Predicts the mean of the targets that it was fitted on, and notes them."""

    seen: list[int] = []  # noqa: RUF012 # shared on purpose

    def fit(self, x: pd.DataFrame, y: pd.Series) -> Mean:
        """Note how many rows there are."""
        self.seen.append(len(x))
        self.mean = float(y.mean())
        return self

    def predict(self, x: pd.DataFrame) -> Any:
        """The same everywhere."""
        return np.full(len(x), self.mean)


class Rule:
    """The target is the number of the row, so that the mean tells which rows were used."""

    model = Mean()
    train = 100
    window = 10

    def features(self, bars: pd.DataFrame) -> Any:
        """One column, known from the tenth row on."""
        return bars[["close"]].rolling(self.window).mean()

    def target(self, bars: pd.DataFrame) -> Any:
        """Row numbers."""
        return pd.Series(np.arange(len(bars), dtype=float), index=bars.index)

    def position(self, predicted: Any) -> Any:
        """As a weight."""
        return predicted / 1000


@pytest.mark.parametrize(("refit", "ahead", "fit"), [(0, 1, 100), (0, 5, 100), (50, 1, 250), (30, 3, 280)])
def test_a_model_knows_the_rows_before_it(refit: int, ahead: int, fit: int) -> None:
    """Rows with all features, without those whose target was not known; the last fit decides the last rows."""
    weights = adapted(Rule)(FRAME, refit=refit, ahead=ahead)
    assert (weights.iloc[:100] == 0).all()
    assert weights.iloc[-1] == pytest.approx(np.arange(9, fit - ahead).mean() / 1000)


def test_a_model_of_the_same_history_is_fitted_once() -> None:
    """Universes that share their history share the model."""
    Mean.seen.clear()
    weights = adapted(Rule)
    for scale in (1.0, 2.0):
        changed = FRAME.copy()
        changed.iloc[100:] *= scale
        weights(changed)
    assert len(Mean.seen) == 1


def test_classes_and_signs() -> None:
    """Classes of -1, 0 and 1 are weights; of other numbers the sign decides."""
    plain = {name: getattr(Rule, name) for name in ("model", "train", "window", "features", "target")}
    assert set(adapted(type("Plain", (), plain))(FRAME).iloc[100:]) == {1.0}
    falls = {**plain, "target": lambda self, bars: bars["close"] * 0 - 1}
    assert set(adapted(type("Falls", (), falls))(FRAME).iloc[100:]) == {-1.0}
    lower = {**plain, "target": lambda self, bars: bars["close"] * 0 - 0.5}
    assert set(adapted(type("Lower", (), lower))(FRAME).iloc[100:]) == {0.0}


def test_a_model_without_a_seed_gets_one() -> None:
    """The same bars give the same weights."""
    forest = type("Forest", (Rule,), {
        "model": RandomForestClassifier(n_estimators=3), "target": lambda self, bars: (bars["close"].diff() > 0) * 1,
        "position": lambda self, predicted: predicted,
    })  # fmt: skip
    one, other = adapted(forest)(FRAME), adapted(forest)(FRAME)
    pd.testing.assert_series_equal(one, other)
    assert one.iloc[100:].nunique() == 2


@pytest.mark.parametrize(("change", "text"), [
    ({"train": 0}, "give at least 1, 0 and 0"),
    ({"features": lambda self, bars: bars.dropna().iloc[1:]}, "features returned 299 rows of 300"),
    ({"target": lambda self, bars: bars["close"].iloc[1:]}, "target returned 99 rows of 100"),
    ({"window": 200}, "no row of the first 100 has all features"),
])  # fmt: skip
def test_what_cannot_be_fitted_is_named(change: dict[str, Any], text: str) -> None:
    """Each in one line."""
    with pytest.raises(StrategyError, match=text):
        adapted(type("Wrong", (Rule,), change))(FRAME)


def test_its_form_is_recognised() -> None:
    """A model, features and a target; two of them are not enough."""
    assert is_theirs(Rule)
    assert not is_theirs(type("Other", (), {"model": Mean(), "features": lambda self, bars: bars}))
    assert not is_theirs(RandomForestClassifier)


def test_features_that_look_ahead_are_found(tmp_path: Path) -> None:
    """A target may look ahead, features may not."""
    body = """
from sklearn.tree import DecisionTreeClassifier

class Rule:
    model = DecisionTreeClassifier(max_depth=3)
    train = 100

    def features(self, bars):
        return bars[["close"]].pct_change().shift(SHIFT).rename(columns={"close": "move"}).fillna(0.0)

    def target(self, bars):
        return (bars["close"].shift(-1) > bars["close"]).astype(int)
"""
    for shift, found in ((0, False), (-1, True)):
        path = tmp_path / "rule.py"
        path.write_text(body.replace("SHIFT", str(shift)))
        (strategy,) = load_strategies(str(path), {})
        strategy = detect_call_style(strategy, BARS)
        assert strategy.form.shape == "series"
        assert bool(find_lookahead(strategy, BARS, patience=1.0).found) is found
        assert strategy.decide(strategy.panel(Universes.from_bars(BARS, BARS[:0]), 0)).is_weights
