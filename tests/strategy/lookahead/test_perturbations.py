"""Other bars in the place of real ones: valid bars, the same past, another future."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stresslab.data.bars import CLOSE, HIGH, LOW, OPEN
from stresslab.strategy.lookahead.perturbations import (
    PRICES,
    calms,
    continuations,
    mirrored,
    opposites,
    other_futures,
)
from tests.make.bars import make_bars


def assert_bars(values: np.ndarray) -> None:
    """Positive prices, highs above and lows below, nothing traded below 0."""
    assert np.isfinite(values).all()
    assert (values[..., [OPEN, HIGH, LOW, CLOSE]] > 0).all()
    assert (values >= 0).all()
    assert (values[..., HIGH] >= values[..., [OPEN, CLOSE]].max(axis=-1) * (1 - 1e-12)).all()
    assert (values[..., LOW] <= values[..., [OPEN, CLOSE]].min(axis=-1) * (1 + 1e-12)).all()


@given(seed=st.integers(0, 1000), share=st.floats(0.01, 0.99), drift=st.sampled_from([-0.005, 0.0, 0.005]))
@settings(max_examples=30, deadline=None)
def test_other_futures(seed: int, share: float, drift: float) -> None:
    """The past stays, the first bar goes the other way three times as far, and prices stay in reach of the sample's."""
    values = make_bars(300, seed, drift=drift).values
    cut = max(1, int(share * len(values)))
    futures = list(other_futures(values, [cut]))
    assert len(futures) == 2
    for future in futures:
        np.testing.assert_array_equal(future[:cut], values[:cut])
        assert (future[cut:] != values[cut:]).any(axis=1).all()
        assert_bars(future[cut:])
        assert np.abs(np.log(future[cut:, CLOSE] / values[cut - 1, CLOSE])).max() < np.log(4) + 5
    real, opposite = (np.log(one[cut, CLOSE] / values[cut - 1, CLOSE]) for one in (values, futures[0]))
    assert opposite == pytest.approx(-3 * real, abs=2e-4)


def test_whole_sample_trend_is_turned() -> None:
    """A market that doubled ends below where it began, when its second half is replaced by the opposite."""
    values = make_bars(600, drift=0.003).values
    assert values[-1, CLOSE] > 2 * values[0, CLOSE]
    opposite, _ = other_futures(values, [300])
    assert opposite[-1, CLOSE] < opposite[0, CLOSE]


def test_continuations_go_both_ways() -> None:
    """Two futures of valid bars follow the last close, the second's first move the opposite of the first's."""
    values = make_bars(200).values
    up, down = continuations(values, 12)
    assert up.shape == down.shape == (12, values.shape[1])
    assert_bars(np.stack([up, down]))
    first, second = (np.log(one[0, CLOSE] / values[-1, CLOSE]) for one in (up, down))
    assert first == pytest.approx(-second, rel=1e-9)
    assert first != 0


def test_mirrored_twice_is_the_series() -> None:
    """The mirror image about the first open consists of valid bars, and its own mirror image is the series."""
    values = make_bars(100).values
    assert_bars(mirrored(values))
    np.testing.assert_allclose(mirrored(mirrored(values)), values, rtol=1e-12)


@pytest.mark.parametrize("made", [opposites, calms])
def test_one_future_for_every_bar(made: Any) -> None:
    """Bars up to the cut stay, those after it keep the rules of bars, and each is another one."""
    values = make_bars(200, 3).values
    cuts = np.arange(1, 200)
    others = made(values, cuts)
    for other, cut in zip(others, cuts.tolist(), strict=True):
        np.testing.assert_array_equal(other[:cut], values[:cut])
        assert (other[cut:, PRICES] != values[cut:, PRICES]).any(axis=1).all()
        opened, high, low, close = other[:, PRICES].T
        assert (high >= np.maximum(opened, close)).all()
        assert (low <= np.minimum(opened, close)).all()
    market = np.stack([values, values[::-1]])
    np.testing.assert_array_equal(made(market, cuts)[:, 0], others)


def test_opposites_turn_and_calms_still() -> None:
    """The next move is the other way round and larger, or a hundredth of what it was; trading turns and stills."""
    values = make_bars(200, 3).values
    cuts = np.arange(1, 200)
    moves = np.diff(np.log(values[:, CLOSE]))
    turned, still = (np.log(made(values, cuts)[np.arange(199), cuts, CLOSE] / values[:-1, CLOSE])
                     for made in (opposites, calms))  # fmt: skip
    np.testing.assert_allclose(turned, -3 * moves, rtol=0.01, atol=1e-6)
    np.testing.assert_allclose(still, moves / 100, rtol=0.01, atol=1e-9)
    volume = calms(values, cuts)[:, :, 4]
    assert (volume[np.arange(199), cuts] < values[:, 4].min()).all()
