"""The test repeated from dates across the history."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from stresslab.analysis.walk_forward import (
    Fold,
    FoldPlan,
    chained_paths,
    describe_folds,
    effective_origins,
    fold_ends,
    losses_by_origin,
    regime,
    timing_at_origins,
    walk_forward,
)
from stresslab.backtest import Terms
from stresslab.core.errors import InputError
from stresslab.data import load_bars
from stresslab.data.bars import Bars
from stresslab.generators.bootstrap import StationaryBootstrap
from stresslab.strategy import Strategy, load_strategies
from tests.make.bars import make_bars
from tests.make.strategies import hold, trend

HORIZON = 40


def strategies() -> list[Strategy]:
    """Both."""
    return load_strategies([hold, trend], {})


@pytest.fixture(scope="module")
def nasdaq() -> Bars:
    """Twenty years of daily bars."""
    return load_bars("sample:nasdaq")


@pytest.fixture(scope="module")
def found() -> dict[str, list[Fold]]:
    """Six origins of a made-up market."""
    bars = make_bars(900)
    ends = fold_ends(bars, HORIZON, 6)
    return walk_forward(strategies(), bars, ends, FoldPlan(StationaryBootstrap(), HORIZON, Terms(), 60, 3))


def test_a_number_of_origins_is_spread_over_the_history(nasdaq: Bars) -> None:
    """At least a horizon apart, each followed by a whole one."""
    ends = fold_ends(nasdaq, 120, 12)
    assert len(ends) == 12
    assert min(np.diff(ends)) >= 120
    assert ends[-1] <= len(nasdaq) - 120


def test_a_distance_and_episodes(nasdaq: Bars) -> None:
    """`3M` gives the ends of every third month; months are seen up to their last bar."""
    ends = fold_ends(nasdaq, 60, "3M")
    stamps = nasdaq.timestamps[np.array(ends) - 1]
    assert set(stamps.month) == {1, 4, 7, 10}
    assert min(np.diff(ends)) >= 60
    episodes = fold_ends(nasdaq, 120, ["2000-03", "2008-09"])
    assert [str(stamp.date()) for stamp in nasdaq.timestamps[np.array(episodes) - 1]] == ["2000-03-31", "2008-09-30"]


@pytest.mark.parametrize(
    ("origins", "words"),
    [
        (1, "leave room for 1 with 120 bars after"),
        ("soon", "is no distance; write for example 3M"),
        (["2008-09", "2008-10"], "is less than 120 bars before the next"),
        (["2008-09", "2025-01"], "1 of 2 have 120 bars before and 120 after"),
        (["then", "2008-09"], "'then' is no month or date"),
    ],
)
def test_origins_that_cannot_be_are_refused(nasdaq: Bars, origins: Any, words: str) -> None:
    """In one line that says how to choose others."""
    with pytest.raises(InputError, match=words):
        fold_ends(nasdaq, 120, origins)


def test_each_origin_sees_its_past_and_meets_its_future(found: dict[str, list[Fold]]) -> None:
    """Buy and hold earns what really followed, costs aside; its chances come from the past alone."""
    bars = make_bars(900)
    changed = bars.values.copy()
    ends = fold_ends(bars, HORIZON, 6)
    at = ends[-1]
    changed[at:, :4] *= 1.5
    other = Bars(bars.timestamps, changed, bars.symbol)
    again = walk_forward(strategies(), other, ends, FoldPlan(StationaryBootstrap(), HORIZON, Terms(), 60, 3))
    last, fresh = found["hold"][-1], again["hold"][-1]
    np.testing.assert_array_equal(last.universes.equity, fresh.universes.equity)
    row = last.to_dict()
    opened, closed = bars.values[at, 0], bars.values[at + HORIZON - 1, 3]
    assert row["realised_return"] == pytest.approx(closed / opened - 1, abs=0.003)
    assert 0 <= row["realised_percentile"]["value"] <= 1
    assert fresh.to_dict()["realised_return"] == pytest.approx(1.5 * closed / (1.5 * opened) - 1, abs=0.003)


def test_regimes() -> None:
    """A fall after calm years is a turbulent down-trend; a steady rise is a calm up-trend."""
    bars = make_bars(800)
    rng = np.random.default_rng(0)
    steps = np.concatenate([rng.normal(0.001, 0.005, 740), rng.normal(-0.02, 0.03, 60)])
    closes = 100 * np.exp(np.cumsum(steps))
    values = np.column_stack([closes] * 4 + [bars.values[:, 4], bars.values[:, 5]])
    falling = Bars(bars.timestamps, values, "falling")
    assert regime(falling) == ("down", "turbulent")
    assert regime(falling[:700])[0] == "up"


def test_the_lives_go_round_what_happened(found: dict[str, list[Fold]]) -> None:
    """The real path is the product of the windows' results; sampled universes make paths of the same length."""
    lived = chained_paths(found["trend"], seed=1)
    assert lived["windows"] == 6
    assert lived["bars"] == 6 * HORIZON
    real = np.prod([1 + era.to_dict()["realised_return"] for era in found["trend"]]) - 1
    assert lived["total_return"]["real"] == pytest.approx(real)
    quantiles = list(lived["total_return"]["quantiles"].values())
    assert quantiles == sorted(quantiles)
    assert lived["max_drawdown"]["quantiles"]["0.05"] < 0
    assert lived == chained_paths(found["trend"], seed=1)


def test_buy_and_hold_times_nothing(found: dict[str, list[Fold]]) -> None:
    """Whatever the market did at the origins."""
    assert not timing_at_origins(found["hold"], 252.0).timed or (
        timing_at_origins(found["hold"], 252.0).total.low <= 0 <= timing_at_origins(found["hold"], 252.0).total.high
    )
    assert timing_at_origins(found["trend"], 252.0).paths == 6


def test_the_effective_number_of_origins(found: dict[str, list[Fold]]) -> None:
    """Between one and all; results that repeat themselves are few."""
    assert 1 <= effective_origins(found["trend"]) <= 6
    (first, *_) = found["trend"]
    assert effective_origins([first] * 6) == 6  # nothing varies, so nothing is known of dependence


def test_what_is_written_down(found: dict[str, list[Fold]]) -> None:
    """The section is plain JSON with a row per origin; losses come with their Monte Carlo variance."""
    section = describe_folds(found["trend"], 252.0)
    assert len(section["origins"]) == 6
    assert section["origins"][0]["in_sample"] is None
    assert section["origins"][0]["trend"] in ("up", "down")
    shares, variances = losses_by_origin(found["trend"])
    assert all(0 <= share <= 1 for share in shares)
    assert all(0 < variance < 0.01 for variance in variances)


def test_an_origin_tells_how_wide_its_universes_lie(found: dict[str, list[Fold]]) -> None:
    """Quantiles, drawdowns, shortfall and the median's interval of each origin are those of its accounts."""
    for era in found["trend"]:
        row = era.to_dict()
        equity = era.universes.equity
        returns = equity[-1] / equity[0] - 1
        assert row["universes"] == len(returns) == 60
        assert row["quantiles"]["0.05"] == pytest.approx(float(np.quantile(returns, 0.05)))
        assert row["median_interval"][0] <= row["median_return"] <= row["median_interval"][1]
        high = np.maximum.accumulate(equity, axis=0)
        deep = float(np.mean((equity / high - 1).min(axis=0) < -0.1))
        assert row["probability_of_drawdown"]["0.1"]["value"] == pytest.approx(deep)
        worst = np.sort(returns)[:2]  # 2.5% of 60 are one and a half
        assert row["expected_shortfall_97_5"]["value"] == pytest.approx(-float((worst[0] + worst[1] / 2) / 1.5))


def test_lives_are_kept_in_order(found: dict[str, list[Fold]]) -> None:
    """Every life's result is written down, so that their distribution can be drawn."""
    chained = chained_paths(found["trend"], seed=1, count=200)
    for name in ("total_return", "max_drawdown"):
        values = chained[name]["values"]
        assert len(values) == 200
        assert values == sorted(values)
        assert float(np.quantile(values, 0.25)) == pytest.approx(chained[name]["quantiles"]["0.25"], abs=2e-6)
