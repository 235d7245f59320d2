"""Contrasts: every row samples, at the volatility of the run, and a universe stays itself."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.core.errors import InputError
from stresslab.data.market_index import IndexBars, IndexUniverses
from stresslab.data.universes import Universes
from stresslab.generators.base import Generator
from stresslab.generators.bootstrap import StationaryBootstrap
from stresslab.generators.garch import Garch
from stresslab.generators.matched import ALTERNATIVES, Matched, alternative, volatility_of
from stresslab.generators.transforms import log_shapes, mean_log_returns
from tests.make.bars import make_bars
from tests.make.markets import make_market
from tests.make.universes import assert_valid

BARS = make_bars(600, drift=2e-3)
BOOTSTRAP: Generator = StationaryBootstrap(block=10)  # type: ignore[assignment]


@pytest.fixture(scope="module")
def sampled() -> Universes:
    """A run's universes."""
    return BOOTSTRAP.sample(BARS, 30, 1000, seed=4)


@pytest.mark.parametrize("name", ALTERNATIVES)
def test_every_contrast_has_the_volatility_of_the_run(sampled: Universes, name: str) -> None:
    """Valid bars, and over the calibrating universes the deviation asked for; without drift where that is said."""
    found = alternative(name, BOOTSTRAP, volatility_of(sampled)).sample(BARS, 30, 1000, seed=4)
    assert_valid(found.values)
    assert volatility_of(found) == pytest.approx(volatility_of(sampled), rel=1e-5)
    assert (np.abs(mean_log_returns(found)).max() < 1e-7) == (name == "zero-drift")


def test_iid_bars_do_not_cluster(sampled: Universes) -> None:
    """Single bars in random order lose the clusters of volatility that the history and its blocks have."""

    def clustering(universes: Universes) -> float:
        sizes = np.abs(log_shapes(universes)[:, :, 3])
        sizes -= sizes.mean()
        return float((sizes[:, 1:] * sizes[:, :-1]).mean() / (sizes**2).mean())

    single = alternative("iid", BOOTSTRAP, volatility_of(sampled)).sample(BARS, 30, 1000, seed=4)
    assert abs(clustering(single)) < 0.02
    assert clustering(sampled) > 0.05


def test_a_matched_universe_depends_on_seed_and_id_alone() -> None:
    """Asked for alone, with few others or with many, universe 7 has the same bytes; the scale is everybody's."""
    matched = Matched(BOOTSTRAP, volatility=0.02, drift=1e-3, calibration=50)
    many = matched.sample(BARS, 20, 200, seed=2)
    few = matched.sample(BARS, 20, 8, seed=2)
    alone = matched.sample(BARS, 20, 8, seed=2, ids=[7])
    assert np.array_equal(many.values[7], few.values[7])
    assert np.array_equal(many.values[7], alone.values[0])
    assert many.facts["scale"] == alone.facts["scale"]


def test_matching_scales_deviations_and_sets_the_mean() -> None:
    """Gap, high, low and close of a bar move together, about the mean of their lead."""
    plain = BOOTSTRAP.sample(BARS, 20, 500, seed=3)
    matched = Matched(BOOTSTRAP, volatility=2 * volatility_of(plain), drift=5e-4, calibration=500)
    found = matched.sample(BARS, 20, 500, seed=3)
    expected = 5e-4 + 2 * (log_shapes(plain) - mean_log_returns(plain)[:, None])
    assert log_shapes(found) == pytest.approx(expected, abs=1e-6)
    assert found.facts["scale"] == pytest.approx(2, rel=1e-6)
    assert matched.describe()["matched"] == {"volatility": matched.volatility, "drift": 5e-4, "calibration": 500}
    assert matched.name.startswith("bootstrap (volatility=")


def test_garch_is_matched_too() -> None:
    """Another generator than the run's comes to the run's volatility, or keeps its own where none is asked for."""
    found = alternative("garch", BOOTSTRAP, 0.03).sample(BARS, 20, 1000, seed=3)
    assert volatility_of(found) == pytest.approx(0.03, rel=1e-5)
    assert isinstance(alternative("garch", BOOTSTRAP, None), Garch)


def test_wrong_targets_are_refused() -> None:
    """One line that names the value and what to write."""
    with pytest.raises(InputError, match=r"volatility=0 .*write 0\.01"):
        Matched(BOOTSTRAP, volatility=0)
    with pytest.raises(InputError, match="drift=nan"):
        Matched(BOOTSTRAP, drift=float("nan"))
    with pytest.raises(InputError, match="calibration=1 "):
        Matched(BOOTSTRAP, calibration=1)
    with pytest.raises(InputError, match="choose among run, zero-drift"):
        alternative("gan", BOOTSTRAP, None)


def test_symbols_of_a_market_keep_together() -> None:
    """The index gets the volatility, each symbol the mean; who moved together before still does."""
    history = IndexBars.of(make_market(symbols=3, count=700))
    plain = BOOTSTRAP.sample(history, 10, 400)
    made = Matched(BOOTSTRAP, volatility=2 * volatility_of(plain), drift=0.0, calibration=400).sample(history, 10, 400)
    assert isinstance(made, IndexUniverses)
    assert volatility_of(made) == pytest.approx(2 * volatility_of(plain), rel=0.03)
    for symbol in made.joint.symbols:
        assert np.abs(mean_log_returns(made.joint[symbol])).max() < 1e-6
    both = [np.diff(np.log(one.symbols[..., 3]), axis=2).transpose(0, 2, 1).reshape(-1, 3) for one in (plain, made)]
    np.testing.assert_allclose(*(np.corrcoef(one.T) for one in both), atol=0.01)
