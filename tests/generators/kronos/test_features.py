"""Bars to features and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stresslab.core.errors import CheckpointError
from stresslab.data.bars import Bars
from stresslab.generators.kronos.features import Given, Levels, Representation, Returns, representation
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


def test_levels_of_the_context_decode_to_the_context(bars: Bars) -> None:
    """Inside the support, z-scoring is undone exactly up to float32."""
    levels = Levels()
    features, state = levels.encode(bars.values, 100)
    assert np.abs(features).max() < levels.clip
    np.testing.assert_allclose(levels.decode(features[None], state)[0], bars.values[-100:], rtol=1e-4)


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


def test_settings_make_the_same_representation() -> None:
    """What a checkpoint's config records is read back as the same object."""
    for scaled in (Levels(clip=4.0), Returns(half_lives=(3.0, 30.0), gain=(1.1,) * 5), Returns()):
        assert representation(scaled.settings()) == scaled
    assert representation(None) == Levels()


@pytest.mark.parametrize("settings", [{"kind": "wavelets"}, {}, {"kind": "returns", "halflives": [1]}])
def test_unknown_settings_are_refused(settings: dict[str, object]) -> None:
    """A config of another kind is named."""
    with pytest.raises(CheckpointError, match=r"config\.json"):
        representation(settings)


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


@pytest.mark.parametrize("share", [-0.1, 1.5])
def test_a_share_of_drift_is_a_share(share: float) -> None:
    """Outside [0, 1] it is refused by name."""
    with pytest.raises(CheckpointError, match="own_drift"):
        representation({"kind": "returns", "own_drift": share})


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


def test_following_bars_are_read_at_the_anchored_level(bars: Bars) -> None:
    """What decoding with a seam puts out, reading with the same seam takes back."""
    levels = Levels()
    features, state = levels.encode(bars.values[:HISTORY], 100)
    seam, wanted = features[-1:] * 0.9, np.tile(features[-1] * 0.8, (2, 6, 1)).astype(np.float32)
    decoded = levels.decode(wanted, state, seam)
    np.testing.assert_allclose(levels.following(decoded, state, seam), wanted, rtol=1e-3, atol=1e-3)
