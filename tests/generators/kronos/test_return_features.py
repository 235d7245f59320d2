"""Scaled returns as features."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stresslab.core.errors import CheckpointError
from stresslab.data.bars import Bars
from stresslab.generators.kronos.features import representation
from stresslab.generators.kronos.return_features import Returns
from tests.make.bars import make_bars

HISTORY, FUTURE = 400, 50


@given(seed=st.integers(0, 1000))
def test_returns_of_the_real_future_decode_to_the_real_bars(seed: int) -> None:
    """Features of the bars that followed, decoded from the state at the origin, are those bars."""
    bars = make_bars(HISTORY + FUTURE, seed)
    scaled = Returns()
    features, _ = scaled.encode(bars.values, FUTURE)
    _, state = scaled.encode(bars.values[:HISTORY], 100)
    decoded = scaled.decode(features[None], state)[0]
    kept = (np.abs(features) < scaled.clip).all(axis=1).cumprod().astype(bool)  # a clipped bar is another bar
    np.testing.assert_allclose(decoded[kept, :5], bars.values[HISTORY:][kept, :5], rtol=1e-4)


def test_features_are_scale_free(bars: Bars) -> None:
    """Prices in cents and volumes in lots have the features of prices in dollars and volumes in shares."""
    features, _ = Returns().encode(bars.values, 200)
    again, _ = Returns().encode(bars.values * [100, 100, 100, 100, 0.01, 1], 200)
    np.testing.assert_allclose(again, features, atol=1e-5)


@given(seed=st.integers(0, 2**32 - 1), size=st.floats(0.1, 20.0))
def test_any_features_decode_to_valid_bars(seed: int, size: float) -> None:
    """Whatever the tokenizer says, a bar of `Returns` has high and low around open and close, and positive volume."""
    bars = make_bars(120)
    scaled = Returns()
    _, state = scaled.encode(bars.values, 100)
    noise = np.random.default_rng(seed).normal(scale=size, size=(3, 20, 5))
    values = scaled.decode(noise, state)
    opens, highs, lows, closes, volumes = (values[:, :, field] for field in range(5))
    assert np.isfinite(values).all()
    assert (highs >= np.maximum(opens, closes)).all()
    assert ((lows <= np.minimum(opens, closes)) & (lows > 0)).all()
    assert (volumes > 0).all()


def test_a_market_without_volume_stays_without() -> None:
    """No volume in the history gives features of zero and no volume in the universes."""
    values = make_bars(200).values.copy()
    values[:, 4:] = 0.0
    features, state = Returns().encode(values, 100)
    assert (features[:, 4] == 0).all()
    assert (Returns().decode(np.ones((2, 5, 5)), state)[:, :, 4:] == 0).all()


def test_the_gain_restores_variance() -> None:
    """A gain of 2 about the mean doubles the return."""
    _, state = Returns().encode(make_bars(200).values, 100)
    features = np.zeros((1, 1, 5))
    features[0, 0, 1] = 0.5
    plain, doubled = (Returns(gain=(1.0, gain, 1.0, 1.0, 1.0)).decode(features, state)[0, 0, 3] for gain in (1.0, 2.0))
    assert np.log(doubled / state.close) == pytest.approx(2 * np.log(plain / state.close))


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_shared_drift_gives_way_and_the_spread_stays(share: float, bars: Bars) -> None:
    """A universe loses what all have alike but for the share kept, and gets the training data's; the rest stays."""
    scaled = Returns(mean=(0.01, 0.02, 0.3, 0.3, 0.0), own_drift=share, half_lives=(1e9,))  # constant volatility
    _, state = scaled.encode(bars.values, 100)
    features = np.zeros((8, 30, 5))
    features[:, :, 1] = 0.3 + np.random.default_rng(5).normal(size=(8, 30))
    drift = np.tile([0.0, 0.3], (30, 1))
    alone, settled = (
        np.diff(np.log(scaled.decode(features, state, drift=given)[:, :, 3] / state.close), axis=1, prepend=0.0)
        for given in (None, drift)
    )
    kept = share ** np.arange(1, 31)
    moved = np.broadcast_to((0.3 * kept + 0.02 * (1 - kept)) - 0.3, settled.shape)
    np.testing.assert_allclose((settled - alone) / np.sqrt(np.mean(state.variances)), moved, rtol=0, atol=1e-5)


def test_the_common_drift_is_the_mean_of_references_without_their_surprises(bars: Bars) -> None:
    """What chance decided does not count as drift: the mean over references is that of what was expected of them."""
    scaled = Returns(half_lives=(1e9,), gain=(1.0, 2.0, 1.0, 1.0, 1.0))
    _, state = scaled.encode(bars.values, 100)
    noise = np.random.default_rng(6).normal(scale=0.1, size=(16, 10, 2))
    features = np.zeros((16, 10, 5))
    features[:, :, :2] = np.array([0.05, 0.2]) + noise
    drift = scaled.common_drift(features, noise, state)
    np.testing.assert_allclose(drift, np.tile([0.05, 0.4], (10, 1)), atol=1e-9)


def test_volatility_weighs_its_half_lives(bars: Bars) -> None:
    """Weights of one half-life alone are that half-life; as many are asked for as there are half-lives."""
    one, three = Returns(half_lives=(20.0,)), Returns(half_lives=(5.0, 20.0, 100.0), weights=(0.0, 1.0, 0.0))
    np.testing.assert_allclose(three.encode(bars.values, 50)[0][:, 1], one.encode(bars.values, 50)[0][:, 1], rtol=0.3)
    with pytest.raises(CheckpointError, match="2 weights for 3 half-lives"):
        representation({"kind": "returns", "weights": [0.5, 0.5]})
