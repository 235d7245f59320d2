"""What both representations promise: bars to features and back."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.data.bars import Bars
from stresslab.generators.kronos.level_features import Levels
from stresslab.generators.kronos.representation import Given, Representation
from stresslab.generators.kronos.return_features import Returns

HISTORY, FUTURE = 400, 50


@pytest.mark.parametrize("scaled", [Levels(), Returns()])
def test_features_do_not_see_the_future(scaled: Representation, bars: Bars) -> None:
    """What a generator is given at the origin is the same whatever follows."""
    features, _ = scaled.encode(bars.values[:HISTORY], 100)
    changed = bars.values.copy()
    changed[HISTORY:] *= 3.0
    again, _ = scaled.encode(changed[:HISTORY], 100)
    np.testing.assert_array_equal(features, again)
    early = scaled.training_features(bars.values[:HISTORY], 100)
    late = scaled.training_features(changed[:HISTORY], 100)
    np.testing.assert_array_equal(early, late)


@pytest.mark.parametrize("scaled", [Levels(), Returns()])
def test_bars_that_follow_have_the_features_of_a_longer_history(scaled: Representation, bars: Bars) -> None:
    """Returns read bar by bar after the origin are those of one encoding; levels keep the context's mean and scale."""
    future = np.stack([bars.values[HISTORY : HISTORY + 30], 2 * bars.values[HISTORY : HISTORY + 30]])
    _, state = scaled.encode(bars.values[:HISTORY], 100)
    found = scaled.following(future, state)
    if isinstance(scaled, Returns):
        for own, read in zip(future, found, strict=True):
            whole, _ = scaled.encode(np.concatenate([bars.values[:HISTORY], own]), 30)
            np.testing.assert_allclose(read, whole, rtol=1e-5, atol=1e-5)
    else:
        context = bars.values[HISTORY - 100 : HISTORY]
        own = (future - context.mean(axis=0)) / (context.std(axis=0) + 1e-5)
        np.testing.assert_allclose(found, np.clip(own, -5, 5), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("scaled", [Levels(), Returns()])
def test_given_bars_stand_and_later_ones_follow_from_them(scaled: Representation, bars: Bars) -> None:
    """A crash of 20% among decoded bars lowers all later ones by it; scaled returns grow with the volatility too."""
    _, state = scaled.encode(bars.values[:HISTORY], 100)
    features = np.tile(np.float32([0.1, 0.2, 0.1, 0.1, 0.1, 0.1])[: scaled.width], (3, 12, 1))
    plain = scaled.decode(features, state)
    crash = np.array(plain[:, 5:7])
    crash[:, :, :4] *= 0.8
    found = scaled.decode(features, state, given=Given(5, crash))
    assert np.array_equal(found[:, :5], plain[:, :5])
    assert np.array_equal(found[:, 5:7], crash)
    if isinstance(scaled, Returns):
        steps, before = (np.diff(np.log(one[:, 6:, 3]), axis=1) for one in (found, plain))
        assert (steps > 1.5 * before).all()
        again = scaled.decode(features, state, given=Given(5, np.array(plain[:, 5:7])))
        np.testing.assert_allclose(again, plain, rtol=1e-9)
    else:
        np.testing.assert_allclose(found[:, 7:, :4], 0.8 * plain[:, 7:, :4], rtol=1e-6)
