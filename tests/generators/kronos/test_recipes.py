"""The two stages of training end in a folder that samples, a card that is true, and symbols held out for good."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

import stresslab as sl
from stresslab.data.bars import Bars
from stresslab.errors import CheckpointError, InputError
from stresslab.generators.kronos.recipes import SCORED, Material, Sizes, make_model, make_tokenizer
from stresslab.generators.kronos.training import Progress, Schedule
from tests.market import make_bars

SIZES = Sizes(context=64, bits=4, tokenizer_width=8, tokenizer_layers=1, width=16, layers=1, heads=2)
SCHEDULE = Schedule(steps=4, batch=2, learning_rate=3e-3, save_every=2)
WALK = make_bars(400)


def named(symbol: str, first: int = 0, count: int = 400, seed: int | None = None) -> Bars:
    """A stretch of a random walk under a name."""
    bars = WALK if seed is None else make_bars(400, seed=seed)
    return replace(bars[first : first + count], symbol=symbol)


SERIES = [named(f"S{number:02}", seed=number) for number in range(12)]
MATERIAL = Material.of({"bars": SERIES}, {}, SIZES.context)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A folder with both stages, and its card; not to be changed."""
    out = tmp_path_factory.mktemp("made")
    make_tokenizer(MATERIAL, out, SIZES, SCHEDULE)
    make_model(MATERIAL, out, SIZES, SCHEDULE)
    return out, json.loads((out / "card.json").read_text())


# ----------------------------------------------------------------------------------------------------------- material


PARTS = st.lists(
    st.builds(named, st.sampled_from("ABCDEFGHIJKLMNOP"), st.integers(0, 150), st.integers(50, 250)),
    min_size=1,
    max_size=16,
)


@settings(deadline=None, max_examples=60)
@given(sources=st.lists(PARTS, min_size=1, max_size=3), cuts=st.lists(st.integers(60, 260), min_size=3, max_size=3))
def test_no_symbol_is_learned_and_judged_on_the_same_days(sources: list[list[Bars]], cuts: list[int]) -> None:
    """Whatever the sources hold: a held-out symbol is learned in none of them, or only before the days it is judged."""
    named_sources = {str(number): series for number, series in enumerate(sources)}
    dates = {name: WALK.timestamps[cut] for name, cut in zip(named_sources, cuts, strict=False)}
    try:
        material = Material.of(named_sources, dates, SIZES.context)
    except InputError:
        reject()
    learned_until: dict[str, pd.Timestamp] = {}
    for bars in material.training:
        known = learned_until.get(bars.symbol, bars.timestamps[-1])
        learned_until[bars.symbol] = max(known, bars.timestamps[-1])
    symbols = {bars.symbol for series in sources for bars in series}
    if len(symbols) >= 10:
        assert not set(learned_until) & {bars.symbol for bars in material.held_out}
    for bars in material.held_out:
        judged_from = bars.timestamps[SIZES.context - SCORED]  # a window's first scored bar, at the earliest
        assert learned_until.get(bars.symbol, pd.Timestamp.min) < judged_from
    assert material.cuts == dates
    assert pd.Timestamp(material.trained_until) < max(dates.values())
    assert max(learned_until.values(), default=pd.Timestamp.min) <= pd.Timestamp(material.trained_until)


def test_a_symbol_of_two_sources_is_held_out_in_both() -> None:
    """The tenth symbol of all is spared, though it is another one's tenth in its own source."""
    first = [named(symbol) for symbol in "ABCDEFGHJ"]  # nine symbols: alone, none could be spared
    second = [named(symbol) for symbol in "GHIJ"]
    material = Material.of({"first": first, "second": second}, {}, SIZES.context)
    assert {bars.symbol for bars in material.held_out} == {"J"}
    assert len(material.held_out) == 2
    assert {bars.symbol for bars in material.training} == set("ABCDEFGHI")


def test_too_few_symbols_are_judged_from_the_latest_cut_that_holds_them() -> None:
    """Where none can be spared, a symbol learned until later elsewhere is not judged before that."""
    sources = {"early": [named("A"), named("B")], "late": [named("A")]}
    cuts = {"early": WALK.timestamps[100], "late": WALK.timestamps[200]}
    material = Material.of(sources, cuts, SIZES.context)
    judged = [(bars.symbol, bars.timestamps[SIZES.context - SCORED]) for bars in material.held_out]
    assert sorted(judged) == [
        ("A", WALK.timestamps[200]),
        ("A", WALK.timestamps[200]),
        ("B", WALK.timestamps[100]),
    ]


def test_by_default_a_tenth_of_the_bars_lies_after_the_cut() -> None:
    """Each source has its own date, and the card's last date is the day before the latest of them."""
    old, new = [bars[:150] for bars in SERIES[:5]], SERIES[5:]
    material = Material.of({"old": old, "new": new}, {}, 64)
    assert material.cuts == {"old": WALK.timestamps[135], "new": WALK.timestamps[360]}
    assert material.trained_until == str((WALK.timestamps[360] - pd.Timedelta(days=1)).date())
    assert max(bars.timestamps[-1] for bars in material.training) < WALK.timestamps[360]


def test_a_cut_within_a_day_ends_on_that_day() -> None:
    """Bars of the morning are learned from, so the day counts as seen."""
    cut = WALK.timestamps[200] + pd.Timedelta(hours=12)
    assert Material.of({"bars": SERIES}, {"bars": cut}, 64).trained_until == str(WALK.timestamps[200].date())


@pytest.mark.parametrize(
    ("series", "cut"),
    [(SERIES, "2099-01-01"), ([bars[:60] for bars in SERIES], None), (SERIES[:1], "2015-01-02"), ([], None)],
    ids=["cut after the end", "series too short", "nothing before the cut", "no series"],
)
def test_material_that_teaches_nothing_is_refused(series: list[Bars], cut: str | None, tmp_path: Path) -> None:
    """One line, and nothing is written."""

    def learn() -> None:
        material = Material.of({"bars": series}, {} if cut is None else {"bars": pd.Timestamp(cut)}, 64)
        make_tokenizer(material, tmp_path / "out", SIZES, SCHEDULE)

    with pytest.raises(InputError) as caught:
        learn()
    assert "\n" not in str(caught.value)
    assert "; give " in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"context": 63}, {"context": 0}, {"context": 10**6}, {"bits": 0}, {"bits": 13}, {"width": 100}, {"width": -16},
        {"heads": 5}, {"layers": 0}, {"tokenizer_width": 12}, {"tokenizer_layers": 0}, {"width": 10**9},
    ],
    ids=str,
)  # fmt: skip
def test_sizes_that_no_network_can_have_are_refused(wrong: dict[str, int]) -> None:
    """One line names the size and what is possible."""
    with pytest.raises(InputError) as caught:
        Sizes(**wrong)
    (name, value), *_ = wrong.items()
    assert f"{name}={value}" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": 0}, {"batch": -1}, {"learning_rate": 0.0}, {"learning_rate": float("nan")}, {"seed": -1},
        {"seed": 2**40}, {"precision": "float16"}, {"save_every": 0},
    ],
    ids=str,
)  # fmt: skip
def test_a_schedule_that_is_none_is_refused(wrong: dict[str, Any]) -> None:
    """One line names the setting."""
    with pytest.raises(InputError, match="^" + next(iter(wrong))):
        Schedule(**{"steps": 10, **wrong})


# --------------------------------------------------------------------------------------------------------- checkpoint


def test_the_folder_samples(made: tuple[Path, dict[str, Any]]) -> None:
    """What was trained is a generator: it loads by its folder and gives finite bars above zero."""
    generator = sl.Kronos(str(made[0]))
    sampled = generator.sample(WALK, 8, 5, seed=1)
    assert sampled.values.shape == (5, 8, 6)
    assert (sampled.values[:, :, :4] > 0).all()
    assert np.isfinite(sampled.values).all()
    described = generator.describe()
    assert described["max_context"] == SIZES.context
    assert described["trained_until"] == MATERIAL.trained_until


def test_the_card_says_what_was_trained_on_what(made: tuple[Path, dict[str, Any]]) -> None:
    """Both stages with their data, their own sizes and schedule; the model with its losses."""
    card = made[1]
    assert set(card) == {"tokenizer", "model"}
    for stage in card.values():
        assert stage["data"] == {
            "series": 11,
            "bars": 11 * 360,
            "start": str(WALK.timestamps[0].date()),
            "cuts": {"bars": str(WALK.timestamps[360].date())},
            "held_out_series": 1,
        }
        assert stage["schedule"] == asdict(SCHEDULE)
    assert card["tokenizer"]["sizes"] == {"context": 64, "bits": 4, "tokenizer_width": 8, "tokenizer_layers": 1}
    assert card["model"]["sizes"] == {"context": 64, "width": 16, "layers": 1, "heads": 2}
    assert card["model"]["trained_until"] == MATERIAL.trained_until
    evaluation = card["model"]["evaluation"]
    assert evaluation["series"] == 1
    assert evaluation["loss"] == pytest.approx(evaluation["coarse"] + evaluation["fine"])
    for difference in ("below_unigram", "above_when_shuffled"):
        assert set(evaluation[difference]) == {"value", "low", "high"}


def test_a_finished_training_is_not_repeated(made: tuple[Path, dict[str, Any]]) -> None:
    """Called again, both stages take no step and leave the same weights and card."""
    out, card = made
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    steps: list[Progress] = []
    make_tokenizer(MATERIAL, out, SIZES, SCHEDULE, on_step=steps.append)
    make_model(MATERIAL, out, SIZES, SCHEDULE, on_step=steps.append)
    assert steps == []
    assert json.loads((out / "card.json").read_text()) == card
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


def test_an_interrupted_training_ends_the_same(made: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    """Stopped after a saved state and called again, the weights are those of a training that ran through."""

    def interrupt(progress: Progress) -> None:
        if progress.step == 3:
            raise KeyboardInterrupt

    for make in (make_tokenizer, make_model):
        with pytest.raises(KeyboardInterrupt):
            make(MATERIAL, tmp_path, SIZES, SCHEDULE, on_step=interrupt)
        make(MATERIAL, tmp_path, SIZES, SCHEDULE)
    for part in ("tokenizer", "model"):
        name = Path(part) / "model.safetensors"
        assert (tmp_path / name).read_bytes() == (made[0] / name).read_bytes()


@pytest.mark.parametrize("changed", ["bars", "sizes", "tokenizer"])
def test_a_training_does_not_go_on_with_something_else(
    made: tuple[Path, dict[str, Any]], tmp_path: Path, changed: str
) -> None:
    """A state that began on other bars, sizes or tokens is refused: the card would describe neither."""
    out, material, sizes, own = tmp_path / "out", MATERIAL, SIZES, made[0] / "tokenizer"
    make_model(MATERIAL, out, SIZES, SCHEDULE, tokenizer=own)
    card = (out / "card.json").read_bytes()
    if changed == "bars":
        material = Material.of({"bars": SERIES[1:]}, {}, 64)
    elif changed == "sizes":
        sizes = replace(SIZES, context=70)
    else:
        for path in (out / "tokenizer").iterdir():
            path.unlink()
        (out / "tokenizer").rmdir()
        own = make_tokenizer(MATERIAL, tmp_path / "other", SIZES, replace(SCHEDULE, seed=5))
    with pytest.raises(InputError, match=f"began with other {changed}; repeat its settings .* another --out"):
        make_model(material, out, sizes, SCHEDULE, tokenizer=own)
    assert (out / "card.json").read_bytes() == card


def test_a_tokenizer_from_elsewhere_is_copied(made: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    """The new folder is whole by itself; a later date that the tokenizer knows is the model's too."""
    other = Material.of({"bars": SERIES}, {"bars": WALK.timestamps[200]}, 64)
    assert other.trained_until < MATERIAL.trained_until
    make_model(other, tmp_path, SIZES, SCHEDULE, tokenizer=made[0] / "tokenizer")
    assert sorted(path.name for path in (tmp_path / "tokenizer").iterdir()) == ["config.json", "model.safetensors"]
    assert sl.Kronos(str(tmp_path)).describe()["trained_until"] == MATERIAL.trained_until
    assert json.loads((tmp_path / "card.json").read_text())["model"]["trained_until"] == MATERIAL.trained_until


def test_another_tokenizer_in_the_folder_is_left_alone(made: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    """A trained tokenizer is not written over; naming the one that is there is the same as leaving it out."""
    own = make_tokenizer(MATERIAL, tmp_path, SIZES, replace(SCHEDULE, seed=5))
    before = (own / "model.safetensors").read_bytes()
    with pytest.raises(InputError, match="holds another tokenizer"):
        make_model(MATERIAL, tmp_path, SIZES, SCHEDULE, tokenizer=made[0] / "tokenizer")
    assert (own / "model.safetensors").read_bytes() == before
    make_model(MATERIAL, tmp_path, SIZES, SCHEDULE, tokenizer=own)
    assert (own / "model.safetensors").read_bytes() == before


def test_a_model_needs_a_tokenizer(tmp_path: Path, made: tuple[Path, dict[str, Any]]) -> None:
    """Without one, with a folder that holds none, and with a damaged one: one line, nothing written."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="train one first with stresslab train tokenizer"):
        make_model(MATERIAL, tmp_path / "out", SIZES, SCHEDULE)
    for wrong in (tmp_path / "nowhere", tmp_path / "empty", made[0] / "model"):
        with pytest.raises((InputError, CheckpointError)) as caught:
            make_model(MATERIAL, tmp_path / "out", SIZES, SCHEDULE, tokenizer=wrong)
        assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_device_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """Named before anything is written."""
    with pytest.raises(InputError, match="device='abacus' cannot be used"):
        make_tokenizer(MATERIAL, tmp_path / "out", SIZES, SCHEDULE, device="abacus")
    assert not (tmp_path / "out").exists()


def test_a_damaged_card_is_refused(made: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    """A card that is no JSON is not written over."""
    (tmp_path / "card.json").write_text("trained it well")
    with pytest.raises(CheckpointError, match=r"card\.json is not JSON"):
        make_tokenizer(MATERIAL, tmp_path, SIZES, SCHEDULE)
    assert (tmp_path / "card.json").read_text() == "trained it well"
