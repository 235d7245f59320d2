"""What Kronos tells about its tokens: the round trip, the end of its prices, and universes at other settings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stresslab.core.errors import DataError
from stresslab.data.bars import CLOSE
from stresslab.generators.kronos.diagnostics import EDGE, touching
from stresslab.generators.kronos.generator import Kronos
from stresslab.generators.kronos.level_features import Levels
from stresslab.generators.kronos.return_features import RETURN, Returns
from stresslab.generators.kronos.tokenizer import KronosTokenizer
from tests.generators.kronos.cases import case
from tests.make.bars import make_bars

LEVELS = str(case("within_context").folder)
WALK = make_bars(200)


@pytest.fixture(params=["levels", "returns"])
def folder(request: pytest.FixtureRequest, tiny: Path) -> str:
    """A checkpoint of each representation."""
    return LEVELS if request.param == "levels" else str(tiny)


def test_a_perfect_tokenizer_changes_nothing(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With features that survive, volatility and autocorrelation are the real ones, in both representations."""
    monkeypatch.setattr(KronosTokenizer, "encode", lambda self, x, half: x)
    monkeypatch.setattr(KronosTokenizer, "decode", lambda self, tokens, half: tokens)
    found = Kronos(folder).round_trip(WALK)
    assert found["volatility_ratio"] == pytest.approx(1, abs=0.02)
    assert found["lag_one"] == pytest.approx(found["lag_one_real"], abs=0.02)
    window = int(found["bars"] or 0)
    returns = np.diff(np.log(WALK.values[-window:, CLOSE]))
    if folder != LEVELS:
        returns = Returns().encode(WALK.values, window)[0][:, RETURN].astype(float)
    centred = returns - returns.mean()
    assert found["lag_one_real"] == pytest.approx((centred[1:] * centred[:-1]).sum() / (centred**2).sum())


def test_noise_in_levels_shows_as_it_must(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of each bar by itself inflates the volatility of prices and makes returns alternate."""
    import torch

    noise = torch.from_numpy(np.random.default_rng(0).normal(scale=0.3, size=(1, 512, 6)).astype(np.float32))
    monkeypatch.setattr(KronosTokenizer, "encode", lambda self, x, half: x)
    monkeypatch.setattr(KronosTokenizer, "decode", lambda self, tokens, half: tokens + noise[:, : tokens.shape[1]])
    found = Kronos(LEVELS).round_trip(WALK)
    assert (found["volatility_ratio"] or 0) > 1.5
    assert (found["lag_one"] or 0) < -0.2


def test_a_round_trip_needs_bars(folder: str) -> None:
    """A few bars are refused in one line; what the tiny tokenizers make of enough bars is a number."""
    with pytest.raises(DataError, match="8 bars are too few for a round trip"):
        Kronos(folder).round_trip(WALK[:8])
    assert set(Kronos(folder).round_trip(WALK)) == {"volatility_ratio", "lag_one", "lag_one_real", "bars"}


def test_touching_the_end_of_prices() -> None:
    """A universe touches when any price of any bar decodes to almost the bound; volume does not count."""
    features = np.zeros((4, 3, 6))
    features[1, 2, 1] = EDGE * 5.0
    features[2, 0, 3] = -5.2
    features[3, 0, 4] = 9.0
    found = touching(Levels(), features)
    assert found is not None
    assert found.tolist() == [False, True, True, False]
    assert touching(Returns(), features) is None


def test_the_share_at_the_end_is_told(monkeypatch: pytest.MonkeyPatch, tiny: Path) -> None:
    """Levels tell which share of the universes asked for touches, returns tell nothing."""
    monkeypatch.setattr(
        "stresslab.generators.kronos.tiles.touching", lambda _, features: np.arange(len(features)) % 2 == 0
    )
    assert Kronos(LEVELS).sample(WALK, 3, 8).facts["support_share"] == 0.5
    assert Kronos(LEVELS).sample(WALK, 3, 8, ids=[0, 2, 5, 4]).facts["support_share"] == 0.75
    monkeypatch.undo()
    assert "support_share" not in Kronos(str(tiny)).sample(WALK, 3, 8).facts


def test_adjusted_shares_the_weights(folder: str) -> None:
    """Another temperature is the generator that the constructor would give, without loading its weights again."""
    first = Kronos(folder)
    loaded = first.checkpoint
    hot = first.adjusted(temperature=1.3)
    assert hot == Kronos(folder, temperature=1.3)
    assert hot.checkpoint is loaded
    assert "checkpoint" not in vars(first.adjusted(model="nano"))
    assert np.array_equal(hot.sample(WALK, 3, 4).values, Kronos(folder, temperature=1.3).sample(WALK, 3, 4).values)
