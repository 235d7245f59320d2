"""What is learned and what is judged: sizes that fit, cuts by date and by symbol."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from stresslab.core.errors import InputError
from stresslab.data.bars import Bars
from stresslab.generators.kronos.checkpoint import (
    Checkpoint,
)
from stresslab.generators.kronos.train.bar_files import SCORED, Material, Sizes
from stresslab.generators.kronos.train.presets import make_tokenizer
from tests.generators.kronos.train.cases import SCHEDULE, SERIES, SIZES, WALK, named

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


@pytest.mark.parametrize("given", [{"width": 32}, {"bits": 5}, {"context": 65}, {"layers": 2}, {"heads": 4}], ids=str)
def test_sizes_that_contradict_the_start_are_refused(start: Checkpoint, given: dict[str, int]) -> None:
    """One line names the size that was given, the checkpoint's own, and the way out."""
    (name, value), *_ = given.items()
    with pytest.raises(InputError, match=f"^{name}={value} contradicts .* leave it out") as caught:
        Sizes.of(start, given)
    assert "\n" not in str(caught.value)
    assert Sizes.of(start, {"bits": 4, "width": 16}) == Sizes.of(start, {})


def test_a_start_whose_window_is_too_short_is_refused(start: Checkpoint) -> None:
    """The checkpoint is named."""
    with pytest.raises(InputError, match="cannot be tuned: context=32"):
        Sizes.of(replace(start, files=replace(start.files, max_context=32)), {})


def test_interrupted_series_are_cut(tmp_path: Path) -> None:
    """No training window spans a split of the shares; the card counts the cut, and the segments on both its sides."""
    values = WALK.values.copy()
    values[200:, :4] /= 4
    torn = replace(WALK, values=values, symbol="S00")
    material = Material.of({"bars": [torn, *SERIES[1:]]}, {}, SIZES.context, ["bad.csv: the file is empty"])
    assert [len(bars) for bars in material.training if bars.symbol == "S00"] == [200, 160]
    described = material.describe()
    assert (described["series"], described["segments"]) == (11, 12)
    assert described["interrupted"] == {"gaps": 0, "jumps": 1, "still_bars": 0}
    assert described["skipped"] == ["bad.csv: the file is empty"]
