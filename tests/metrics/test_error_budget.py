"""The error budget: parts side by side, and universes bought until chance is small."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stresslab.core.errors import InputError
from stresslab.metrics.distribution import wilson
from stresslab.metrics.error_budget import (
    MIN_UNIVERSES,
    budget,
    half_width,
    monte_carlo_variance,
    more_universes,
    spread_between,
    universes_for_precision,
    variance_within,
)


@given(st.floats(0, 1), st.sampled_from([0.2, 0.05, 0.02]))
def test_universes_for_precision_are_the_fewest(share: float, precision: float) -> None:
    """So many reach the half-width, one fewer does not."""
    needed = universes_for_precision(share, precision)
    assert half_width(share * needed, needed) <= precision
    assert needed == 1 or half_width(share * (needed - 1), needed - 1) > precision


def test_a_coin_flip_to_one_percent() -> None:
    """The textbook's 9,604 for a half-width of 1% about one half, which Wilson's interval reaches a little sooner."""
    assert universes_for_precision(0.5, 0.01) == pytest.approx(9604, abs=5)
    with pytest.raises(InputError, match=r"for 1% write 0\.01"):
        universes_for_precision(0.5, 1.0)


def sampled_until(share: float, precision: float, most: int, rng: np.random.Generator) -> tuple[int, int, int]:
    """Losses, universes and stages of the sequential rule on a coin of that share."""
    losses = universes = stages = 0
    while more := more_universes(losses, universes, precision, most):
        assert more > 0
        losses += int(rng.binomial(more, share))
        universes += more
        stages += 1
    return losses, universes, stages


@given(st.floats(0, 1), st.sampled_from([0.05, 0.01, 0.002]), st.integers(0, 99))
def test_sampling_stops_at_the_precision_or_at_the_most(share: float, precision: float, seed: int) -> None:
    """When it stops, the interval is narrow enough or there are as many as there may be; it takes few stages."""
    losses, universes, stages = sampled_until(share, precision, 50_000, np.random.default_rng(seed))
    assert MIN_UNIVERSES <= universes <= 50_000
    assert half_width(losses, universes) <= precision or universes == 50_000
    assert stages <= 12


def test_few_universes_may_be_all_there_are() -> None:
    """Where fewer than the first stage are allowed, these are sampled and that is it."""
    assert more_universes(0, 0, 0.01, 300) == 300
    assert more_universes(100, 300, 0.01, 300) == 0


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.02, 0.1, 0.5, 0.9])
def test_stopping_neither_biases_nor_narrows_much(share: float) -> None:
    """After stopping at a precision of 1%, nominal 95% covers at 93 to 97%, and the bias is 5% of the precision."""
    rng = np.random.default_rng(1)
    found = [sampled_until(share, 0.01, 100_000, rng)[:2] for _ in range(2000)]
    intervals = [wilson(*one) for one in found]
    assert 0.935 <= np.mean([one.low <= share <= one.high for one in intervals]) <= 0.97
    assert abs(np.mean([one.value for one in intervals]) - share) < 0.0005


def test_spread_between_groups_takes_chance_out() -> None:
    """Origins that differ by chance alone have no spread of their own; others have what they were given."""
    rng = np.random.default_rng(2)
    shares = rng.binomial(1000, 0.3, 400) / 1000
    noise = [monte_carlo_variance(share, 1000) for share in shares]
    assert np.mean(noise) == pytest.approx(0.3 * 0.7 / 1000, rel=0.02)
    assert spread_between(shares, noise) < 0.006
    true = np.clip(rng.normal(0.3, 0.05, 400), 0, 1)
    shares = rng.binomial(1000, true) / 1000
    noise = [monte_carlo_variance(share, 1000) for share in shares]
    assert spread_between(shares, noise) == pytest.approx(0.05, rel=0.1)
    assert spread_between([0.1, 0.3]) == pytest.approx(math.sqrt(0.02))


def test_a_budget_has_its_parts_and_names_the_widest() -> None:
    """Chance, generators, origins, in this order and in plain JSON; parts that were not assessed are not there."""
    figure = wilson(300, 1000)
    alone = budget(figure, 1000)
    assert [part.name for part in alone.parts] == ["monte_carlo"]
    assert alone.widest.name == "monte_carlo"
    generators, noise = {"kronos": 0.3, "garch": 0.41}, [2e-4] * 3
    full = budget(figure, 1000, by_generator=generators, by_origin=[0.1, 0.3, 0.6], variances=noise)
    assert [part.name for part in full.parts] == ["monte_carlo", "generators", "origins"]
    assert (full.parts[1].low, full.parts[1].high, full.parts[1].count) == (0.3, 0.41, 2)
    assert full.parts[2].high - 0.3 == pytest.approx(2 * spread_between([0.1, 0.3, 0.6], noise))
    assert full.widest.name == "origins"
    assert json.loads(json.dumps(full.to_dict(), allow_nan=False))["widest"] == "origins"


def test_the_variance_within_an_interval() -> None:
    """A normal figure's interval gives its variance back; an end that is not known gives none."""
    assert variance_within(-1.959964, 1.959964) == pytest.approx(1.0, rel=1e-6)
    assert variance_within(0.1 - 0.1644854, 0.1 + 0.1644854, level=0.9) == pytest.approx(0.01, rel=1e-5)
    assert variance_within(None, 0.3) == 0.0
    assert variance_within(0.2, None) == 0.0
