"""Bars in, universes out: settings checked, seam closed, bars possible, nothing averaged or dropped."""

from __future__ import annotations

import hashlib
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stresslab.core.errors import DataError, InputError
from stresslab.data.bars import CLOSE, HIGH, LOW, OPEN, VOLUME, Bars
from stresslab.generators.kronos.generator import Kronos
from stresslab.generators.kronos.level_features import Levels
from stresslab.generators.kronos.return_features import Returns
from stresslab.generators.kronos.sampler import Sampler
from tests.generators.kronos.cases import case
from tests.make.bars import make_bars
from tests.make.universes import assert_valid

LEVELS = str(case("within_context").folder)
WALK = make_bars(200)


@pytest.fixture(params=["levels", "returns"])
def folder(request: pytest.FixtureRequest, tiny: Path) -> str:
    """A checkpoint of each representation."""
    return LEVELS if request.param == "levels" else str(tiny)


@pytest.mark.parametrize(
    ("setting", "value", "remedy"),
    [
        ("temperature", 0, "1 is what the model learned"),
        ("temperature", -1.0, "1 is what the model learned"),
        ("temperature", float("nan"), "1 is what the model learned"),
        ("temperature", float("inf"), "1 is what the model learned"),
        ("temperature", "hot", "1 is what the model learned"),
        ("top_p", 0, "1 keeps every token"),
        ("top_p", 1.1, "1 keeps every token"),
        ("top_p", float("nan"), "1 keeps every token"),
        ("top_k", -1, "0 keeps every token"),
        ("top_k", 1.5, "0 keeps every token"),
        ("top_k", float("nan"), "0 keeps every token"),
        ("top_k", float("inf"), "0 keeps every token"),
        ("context", 0, "leave it out for the most possible"),
        ("context", -5, "leave it out for the most possible"),
        ("context", 20.5, "leave it out for the most possible"),
        ("context", 201, "give fewer"),
        ("context", 10**9, "give fewer"),
        ("window", "sliding", "leave it out for 'block'"),
        ("dtype", "float16", "leave it out for float32"),
        ("device", "abacus", "give auto or cpu"),
        ("device", "meta", "give auto or cpu"),
        ("device", "cuda:99", "give auto or cpu"),
        ("device", "hpu", "give auto or cpu"),
        ("model", "gpt", "nano"),
        ("model", "x" * 5000, "nano"),
    ],
)
def test_bad_settings_are_refused(setting: str, value: Any, remedy: str) -> None:
    """A setting out of range gives one line that names the value and the remedy."""
    with pytest.raises(InputError) as caught:
        Kronos(**{"model": LEVELS, setting: value}).sample(WALK, 5, 2)
    message = str(caught.value)
    assert "\n" not in message
    assert setting in message
    assert str(value) in message
    assert remedy in message


@pytest.mark.parametrize(
    ("sizes", "name"),
    [
        ({"horizon": 0}, "horizon=0"),
        ({"horizon": -3}, "horizon=-3"),
        ({"horizon": 10**9}, "horizon=1000000000"),
        ({"universes": 0}, "universes=0"),
        ({"universes": -1}, "universes=-1"),
        ({"seed": -1}, "seed=-1"),
        ({"seed": 2**64}, f"seed={2**64}"),
        ({"ids": [2]}, r"ids=\[2\]"),
        ({"ids": []}, r"ids=\[\]"),
    ],
)
def test_bad_sizes_are_refused(sizes: dict[str, Any], name: str) -> None:
    """Sizes, seeds and ids out of range are refused in one line before a model is loaded."""
    with pytest.raises(InputError, match=name) as caught:
        Kronos("no such model").sample(WALK, **{"horizon": 5, "universes": 2, **sizes})
    assert "\n" not in str(caught.value)
    assert ";" in str(caught.value)


def test_one_bar_is_too_few() -> None:
    """A history that has no return is refused."""
    with pytest.raises(DataError, match="1 bars of history are too few"):
        Kronos(LEVELS).sample(WALK[-1:], 5, 2)


def test_universes_continue_the_history(folder: str) -> None:
    """N universes of H bars with six finite float32 fields, on the time stamps that the calendar says come next."""
    made = Kronos(folder).sample(WALK, 12, 70, seed=1)
    assert made.values.shape == (70, 12, 6)
    assert made.values.dtype == np.float32
    assert np.isfinite(made.values).all()
    assert made.ids.tolist() == list(range(70))
    assert made.timestamps.equals(WALK.calendar.future(WALK.timestamps, 12))
    assert (made.timestamps.day_of_week < 5).all()
    assert made.history is WALK
    assert len(np.unique(made.values[:, -1, CLOSE])) > 60  # each is a path of its own


@pytest.mark.parametrize("length", [2, 3, 20])
def test_a_short_history_will_do(folder: str, length: int) -> None:
    """A history shorter than the model's window is used as it is, from two bars on."""
    made = Kronos(folder).sample(WALK[-length:], 5, 3)
    assert made.facts["context"] == length
    assert np.isfinite(made.values).all()


def test_the_context_leaves_room_for_the_horizon(tiny: Path) -> None:
    """Context and horizon fill the window of 32 bars; a longer horizon keeps half a window of context."""
    contexts = {horizon: Kronos(str(tiny)).sample(WALK, horizon, 1).facts["context"] for horizon in (1, 10, 16, 20, 90)}
    assert contexts == {1: 31, 10: 22, 16: 16, 20: 16, 90: 16}


def test_a_context_that_does_not_fit_with_the_horizon_is_named(tiny: Path) -> None:
    """Just beyond the window the advice names the largest context that fits, and sampling warns; within it neither."""
    window = Kronos(str(tiny)).files.max_context
    beyond, within = Kronos(str(tiny), context=window - 3), Kronos(str(tiny), context=window - 4)
    assert within.advice(4) is None
    assert Kronos(str(tiny)).advice(window * 2) is None
    assert f"context={window - 4}`" in str(beyond.advice(4))
    with pytest.warns(UserWarning, match=f"context={window - 4}"):
        beyond.sample(WALK, 4, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        within.sample(WALK, 4, 2)


@pytest.mark.parametrize("window", ["block", "rolling"])
def test_a_horizon_beyond_the_window(tiny: Path, window: str) -> None:
    """A horizon of three windows gives finite, possible bars to its end."""
    made = Kronos(str(tiny), window=window).sample(WALK, 100, 3)
    assert made.values.shape == (3, 100, 6)
    assert (made.values > 0).all()
    assert made.facts["window"] == window


def test_the_seam_of_levels_is_closed() -> None:
    """Anchoring scales each path's prices by last real close / its decoding, and leaves the volume alone."""
    kronos = {anchor: Kronos(LEVELS, context=90, anchor=anchor, repair=False) for anchor in (True, False)}
    anchored, free = (kronos[anchor].sample(WALK, 20, 8, seed=2).values.astype(np.float64) for anchor in (True, False))
    features, state = Levels().encode(WALK.values, 90)
    tokenizer = kronos[True].checkpoint.tokenizer
    with torch.inference_mode():
        tokens = tokenizer.encode(torch.from_numpy(features)[None], half=True)
        decoded = tokenizer.decode(tokens, half=True)[0, -1].numpy()
    rendered = decoded * (state.deviation + 1e-5) + state.mean
    factor = WALK.values[-1, CLOSE] / rendered[CLOSE]
    assert abs(factor - 1) > 1e-3  # there is a seam to close
    np.testing.assert_allclose(anchored[..., : CLOSE + 1] / free[..., : CLOSE + 1], factor, rtol=1e-5)
    np.testing.assert_array_equal(anchored[..., VOLUME:], free[..., VOLUME:])


def test_returns_start_at_the_last_close(tiny: Path) -> None:
    """Paths of scaled returns set out from the last real close: the first gap and return are at most clip sigmas."""
    made = Kronos(str(tiny)).sample(WALK, 3, 50)
    _, state = Returns().encode(WALK.values, 20)
    bound = 8.0 * np.sqrt(np.mean(state.variances) + 1e-12)
    first = np.log(made.values[:, 0, [OPEN, CLOSE]].astype(np.float64) / WALK.values[-1, CLOSE])
    assert np.abs(first).max() <= bound * 1.001
    free = Kronos(str(tiny), anchor=False).sample(WALK, 3, 50)
    np.testing.assert_array_equal(made.values, free.values)


def test_twice_the_price_gives_twice_the_price(tiny: Path) -> None:
    """Scaled returns know no price level: universes of a doubled history are doubled."""
    doubled = Bars(WALK.timestamps, WALK.values * [2, 2, 2, 2, 1, 2])
    once, twice = (Kronos(str(tiny)).sample(bars, 8, 10).values for bars in (WALK, doubled))
    np.testing.assert_allclose(twice[..., :VOLUME], 2 * once[..., :VOLUME], rtol=1e-3)


def impossible(values: np.ndarray) -> np.ndarray:
    """Which bars (N, T) break a rule."""
    prices = values[..., : CLOSE + 1]
    wrong = (values[..., HIGH] < prices.max(axis=-1)) | (values[..., LOW] > prices.min(axis=-1))
    return wrong | (prices <= 0).any(axis=-1) | (values[..., VOLUME:] < 0).any(axis=-1)


def test_impossible_bars_are_repaired_and_counted() -> None:
    """A model of random weights draws impossible bars: repaired and counted, or kept where that is asked."""
    raw = Kronos(LEVELS, repair=False).sample(WALK, 30, 20)
    mended = Kronos(LEVELS).sample(WALK, 30, 20)
    assert impossible(raw.values).any()
    assert raw.facts["repaired_bars"] == 0
    assert not impossible(mended.values).any()
    assert mended.facts["repaired_bars"] == (mended.values != raw.values).any(axis=-1).sum()
    kept = ~impossible(raw.values)
    np.testing.assert_array_equal(mended.values[kept], raw.values[kept])


def test_scaled_returns_need_no_repair(tiny: Path) -> None:
    """Bars of scaled returns are possible by construction."""
    made = Kronos(str(tiny)).sample(WALK, 30, 20)
    assert made.facts["repaired_bars"] == 0
    assert not impossible(made.values).any()


@pytest.mark.parametrize(("ids", "total"), [(None, 150), ([149, 0, 7], 3)])
def test_progress_adds_up(ids: list[int] | None, total: int) -> None:
    """Progress is told of every universe once."""
    told: list[int] = []
    Kronos(LEVELS).sample(WALK, 3, 150, ids=ids, progress=told.append)
    assert sum(told) == total
    assert len(told) > 1
    assert min(told) > 0


def test_the_description_is_plain_and_complete(tiny: Path) -> None:
    """Settings, sizes, training cut-off and the weights' sha256, as JSON that a run can record."""
    described = Kronos(str(tiny), temperature=0.9, top_k=5).describe()
    assert json.loads(json.dumps(described)) == described
    assert described["hashes"] == {
        part: hashlib.sha256((tiny / part / "model.safetensors").read_bytes()).hexdigest()
        for part in ("model", "tokenizer")
    }
    wanted = {"temperature": 0.9, "top_k": 5, "trained_until": "2020-12-31", "max_context": 32, "model": str(tiny)}
    assert wanted.items() <= described.items()
    made = Kronos(str(tiny)).sample(WALK, 2, 2)
    json.dumps(dict(made.facts))
    assert made.facts["generator"] == Kronos(str(tiny)).describe()


def test_prices_beyond_all_numbers_are_refused(tiny: Path) -> None:
    """A path that is not finite is refused in one line, and none is returned."""
    kronos = Kronos(str(tiny))
    with torch.no_grad():
        kronos.checkpoint.tokenizer.head.bias[0] = float("nan")
    with pytest.raises(InputError, match="not finite") as caught:
        kronos.sample(WALK, 3, 2)
    assert "\n" not in str(caught.value)


def test_universes_go_on_after_inserted_bars(folder: str) -> None:
    """Bars before stay, inserted ones stand exactly, later ones are possible and follow from their close."""
    kronos = Kronos(folder)
    base = kronos.sample(WALK, 12, 70, seed=4)
    crash = np.array(base.values[:, 5:7], dtype=np.float64)
    crash[:, :, :4] *= 0.9
    shocked = kronos.continued(base, 5, crash, seed=4)
    assert np.array_equal(shocked.values[:, :5], base.values[:, :5])
    assert np.array_equal(shocked.values[:, 5:7], crash.astype(np.float32))
    assert_valid(shocked.values)
    assert shocked.facts["inserted"] == {"at": 5, "bars": 2}
    assert not np.array_equal(shocked.values[:, 7:], base.values[:, 7:])
    first = np.log(shocked.values[:, 7, CLOSE].astype(float) / crash[:, 1, CLOSE])
    assert np.abs(first).max() < 1.0


def test_a_universe_goes_on_as_if_it_were_alone(folder: str) -> None:
    """Neither the other universes of a tile nor the number of jobs change a bit of it."""
    kronos = Kronos(folder)
    base = kronos.sample(WALK, 10, 140, seed=4)
    crash = np.array(base.values[:, 3:5], dtype=np.float64)
    crash[:, :, :4] *= np.linspace(0.8, 1.2, 140)[:, None, None]
    whole = kronos.continued(base, 3, crash, seed=4, jobs=2)
    for some in ([0], [139, 5, 70]):
        part = kronos.continued(base.take(some), 3, crash[some], seed=4)
        assert np.array_equal(part.values, whole.values[some])


def test_forced_tokens_are_those_of_the_inserted_bars_after_their_own_past(tiny: Path) -> None:
    """The tokens that stand in place of drawn ones are the tokenizer's for history, universe and inserted bars."""
    kronos = Kronos(str(tiny))
    base = kronos.sample(WALK, 8, 64, seed=4)
    values = np.array(base.values[:, :6], dtype=np.float64)
    values[:, 4:6, :4] *= 0.95
    origin, plan = kronos._origin(WALK, 8, 4), kronos._plan(8)
    sampler = Sampler(
        plan.networks, origin.features, origin.marks, horizon=8, max_context=plan.max_context, choice=plan.choice
    )
    tokens = sampler.encoded(plan.representation.following(values, origin.state), 2)
    for universe in (0, 63):
        whole = np.concatenate([WALK.values, values[universe]])
        features, _ = plan.representation.encode(whole, len(origin.features[-plan.max_context :]) + 6)
        expected = kronos.checkpoint.tokenizer.encode(torch.from_numpy(features[-plan.max_context :])[None], half=True)
        for found, wanted in zip(tokens, expected, strict=True):
            assert found[universe].tolist() == wanted[0, -2:].tolist()


def test_without_a_shock_a_universe_goes_on_as_it_was(folder: str) -> None:
    """Its own bars keep their own tokens, so that base and shocked differ by the shock alone."""
    kronos = Kronos(folder)
    base = kronos.sample(WALK, 12, 66, seed=4)
    again = kronos.continued(base, 5, base.values[:, 5:7], seed=4)
    np.testing.assert_allclose(again.values, base.values, rtol=1e-5)
    late = np.array(base.values[:, 5:8], dtype=np.float64)
    late[1::2, 2, :4] *= 1.1  # only the last of them is a shock, in every other universe
    shocked = kronos.continued(base, 5, late, seed=4)
    np.testing.assert_allclose(shocked.values[::2], base.values[::2], rtol=1e-5)


def test_nano_goes_on_wilder_after_a_wilder_stretch() -> None:
    """Twice the volatility over 20 bars raises that of the next ten, on the same random numbers."""
    history = make_bars(400, seed=2)
    base = Kronos().sample(history, 35, 64, seed=3)
    bars = np.array(base.values[:, 5:25], dtype=np.float64)
    logs = np.log(bars[:, :, :4]) - np.log(base.values[:, 4, CLOSE])[:, None, None]
    bars[:, :, :4] = base.values[:, 4, CLOSE][:, None, None] * np.exp(2 * logs)
    wild = Kronos().continued(base, 5, bars, seed=3)

    def volatility(values: np.ndarray) -> float:
        return float(np.diff(np.log(values[:, 24:, CLOSE].astype(float)), axis=1).std())

    assert volatility(wild.values) > 1.4 * volatility(base.values)
