"""The look-ahead check: leaks it must find, causal rules it must let pass, and what it says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import filtfilt

from stresslab.core.errors import StrategyError
from stresslab.data.bars import Bars
from stresslab.data.universes import Universes
from stresslab.strategy import load_strategies
from stresslab.strategy.detect_style import detect_call_style
from stresslab.strategy.lookahead import check as lookahead
from stresslab.strategy.lookahead.check import LookAheadReport, find_lookahead
from stresslab.strategy.lookahead.probe import DecisionProbe
from stresslab.strategy.panel import Panel
from tests.make.bars import make_bars
from tests.strategy.lookahead.cases import Rule, around, look

CORPUS = Path(__file__).parents[2] / "corpus"
LEAKING, CLEAN = (sorted((CORPUS / name).glob("*.py")) for name in ("leaking", "clean"))
WALKS = {
    freq: [make_bars(500, seed, freq=freq, drift=drift) for seed, drift in ((0, 3e-4), (1, -2e-3))] for freq in "Bh"
}


def zero_phase(close: pd.DataFrame) -> pd.DataFrame:
    """A low-pass filter run forwards and backwards."""
    return close * 0 + filtfilt([0.1], [1.0, -0.9], close.to_numpy(), axis=0)


def weekly(close: pd.DataFrame) -> pd.DataFrame:
    """The close of each bar's week, known only at its end."""
    return close.resample("W", label="left").last().reindex(close.index, method="ffill")


LEAKS: dict[str, Rule] = {
    "shift(-1)": lambda bars: around(bars.close.shift(-1), bars.close),
    "shift(-1), negated": lambda bars: (~(bars.close.shift(-1) < bars.close), bars.close.shift(-1) < bars.close),
    "shift(-1) in weights": lambda bars: np.sign(bars.close.shift(-1) - bars.close),
    "next open": lambda bars: around(bars.open.shift(-1), bars.close),
    "centred window": lambda bars: around(bars.close, bars.close.rolling(11, center=True).mean()),
    "bfill of the warm-up": lambda bars: around(bars.close, bars.close.rolling(30).mean().bfill()),
    "maximum of the sample": lambda bars: bars.close / bars.close.max(),
    "mean of the sample": lambda bars: around(bars.close, bars.close.mean()),
    "z-score of the sample": lambda bars: -((bars.close - bars.close.mean()) / bars.close.std()).clip(-1, 1),
    "rank in the sample": lambda bars: bars.close.rank(pct=True),
    "the last close": lambda bars: around(bars.close, bars.close.iloc[-1]),
    "filtfilt": lambda bars: around(bars.close, zero_phase(bars.close)),
    "reversed": lambda bars: around(bars.close, bars.close[::-1].ewm(span=10).mean()[::-1]),
    "this week's close": lambda bars: around(weekly(bars.close), bars.close),
    "interpolation": lambda bars: around(
        bars.close, bars.close.where(bars.close * 0 == np.arange(len(bars.close))[:, None] % 5).interpolate()
    ),
    "gradient": lambda bars: np.sign(bars.close * 0 + np.gradient(bars.close.to_numpy(), axis=0)),
    "best bars": lambda bars: (bars.close == bars.close.min(), bars.close == bars.close.max()),
    "short side only": lambda bars: (
        bars.close < 0,
        bars.close < 0,
        bars.close.shift(-5) < bars.close,
        bars.close > bars.close.rolling(5).mean(),
    ),
}


@pytest.mark.parametrize("name", LEAKS)
def test_leaks_are_found(name: str, bars: Bars) -> None:
    """A rule that uses later bars is found, and the finding names a bar and what depends on later ones."""
    report = look(LEAKS[name], bars)
    assert report.found
    assert not report.inconclusive
    assert report.found[0].startswith("at 20")
    assert "depends on bars after 20" in report.found[0]
    assert str(report).startswith("looks ahead: at 20")


def look_at(path: Path, walk: int = 0) -> LookAheadReport:
    """The report on a file of the corpus in the form that it takes, on hourly bars where its name says so."""
    (strategy,) = load_strategies(path, {})
    bars = WALKS["h" if path.stem.startswith("intraday_") else "B"][walk]
    strategy = detect_call_style(strategy, bars)
    assert strategy.form.shape == (
        "series" if "series_" in path.stem else "column" if "column_" in path.stem else "wide"
    )
    return find_lookahead(strategy, bars)


@pytest.mark.parametrize("walk", [0, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("path", LEAKING, ids=lambda path: path.stem)
def test_leaking_files_are_caught(path: Path, walk: int) -> None:
    """Every leaking file is caught, in a rising and in a falling market."""
    report = look_at(path, walk)
    assert report.found
    assert not report.inconclusive


@pytest.mark.parametrize("walk", [0, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("path", CLEAN, ids=lambda path: path.stem)
def test_clean_files_are_not_accused(path: Path, walk: int) -> None:
    """No causal file is accused, and each of them decides enough for the check to say so."""
    report = look_at(path, walk)
    assert (report.found, report.inconclusive) == ([], False)


def test_corpus_is_large() -> None:
    """At least twenty files of each kind, among them some for intraday bars."""
    for files in (LEAKING, CLEAN):
        assert len(files) >= 20
        assert sum(path.stem.startswith("intraday_") for path in files) >= 3


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        (
            "shift_minus_one",
            "reads the next bar, as shift(-1) does; see shift_minus_one.py line 5: `up = bars.close.sh",
        ),
        ("centred_window", "reads 5 bars ahead or more, as a centred window, shift(-5), bfill or a longer bar stamped"),
        ("displaced_average", "reads 10 bars ahead or more"),
        ("weekly_left_label", "reads 4 bars ahead or more"),
        ("whole_sample_zscore", "as bfill or figures of the whole sample do; see whole_sample_zscore.py line 5: "),
        ("fitted_scaler", "see fitted_scaler.py line 17: `scaled = momentum * 0 + Scaler().fit("),
        (
            "exit_on_last_bar",
            "depends on where the bars end, as iloc[-1] or len(bars.close) do; see exit_on_last_bar.py",
        ),
    ],
)
def test_the_likely_cause_is_named(name: str, cause: str) -> None:
    """The first finding says how far ahead the rule reads, which is exact here, and shows the line that does it."""
    assert cause in look_at(CORPUS / "leaking" / f"{name}.py").found[0]


def test_a_leak_that_hides_behind_the_missing_bar_is_seen(bars: Bars) -> None:
    """Where a missing next bar reads like a fall, only other bars in its place show the leak."""

    def patient(bars: Any) -> Any:
        rise = ~(bars.close.shift(-1) <= bars.close)
        return rise, bars.close < bars.close.rolling(10).min().shift(1)

    (strategy,) = load_strategies(lambda bars: tuple(side.where(side) == 1 for side in patient(bars)), {})
    case = DecisionProbe.of(strategy, bars)
    entries = np.flatnonzero(case.full.arrays()["long_entries"][:, 0])
    cuts = [int(row) + 1 for row in entries if row + 1 < len(bars)][:20]
    assert lookahead._taken_away(case, cuts, 5)[1] == []
    assert lookahead._replaced(case, cuts)[1]


def test_the_seam_is_compared(bars: Bars) -> None:
    """A leak at the last real bar alone shows when a universe follows it."""
    last = bars.timestamps[-1]

    def knows_the_date(bars: Any) -> Any:
        at = (bars.close.index == last)[:, None]
        average = bars.close.rolling(20).mean()
        return (bars.close > average) & ~at | at & (bars.close.shift(-1) > bars.close), bars.close < average

    report = look(knows_the_date, bars)
    assert f"at {last.date()} the entry depends on bars after {last.date()}: it changes when a universe" in str(report)
    assert "reads the next bar" in str(report)


def test_covered_says_what_was_compared(bars: Bars) -> None:
    """The clause names decisions, bars, cuts and futures, and is part of the JSON."""
    report = look(lambda bars: around(bars.close, bars.close.rolling(20).mean()), bars)
    assert report.futures >= 2 * report.cuts > 40
    assert report.covered == (
        f"{report.decisions} decisions in 600 bars, 100% of them checked right behind their bar; "
        f"later bars taken away at {report.cuts} cuts, replaced by "
        f"{report.futures} other futures, and put after the last bar"
    )
    assert report.to_dict()["covered"] == report.covered
    assert str(report) == f"does not look ahead ({report.covered})"


def test_nothing_fired_where_it_was_compared(bars: Bars) -> None:
    """A rule that decides at the last bar alone is cleared at the seam, and open where it raises on others."""

    def late(bars: Any) -> Any:
        return bars.close * 0 + (np.arange(len(bars.close)) == 599)[:, None]

    def picky(bars: Any) -> Any:
        if len(bars.close) != 600 or bars.close.shape[1] > 2:
            raise ValueError("600 bars are needed")
        return late(bars)

    assert not look(late, bars).inconclusive
    report = look(picky, bars)
    assert (report.found, report.inconclusive, report.cuts, report.futures, report.seam) == ([], True, 0, 0, False)
    assert str(report).startswith("inconclusive: 1 decisions in 600 bars, but no shorter stretch that holds one could")


def test_hidden_memory_is_refused(bars: Bars, tmp_path: Path) -> None:
    """A file that keeps the first series it saw answers the same twice, but not when it is loaded afresh."""
    path = tmp_path / "cached.py"
    path.write_text(
        "SEEN = {}\n\n\ndef on_bar(state, bar):\n    close = SEEN.setdefault(bar.timestamp, bar.close)\n"
        "    before, state['before'] = state.get('before', close), close\n    return float(close > before)\n"
    )
    (strategy,) = load_strategies(path, {})
    with pytest.raises(StrategyError, match="keep nothing between calls"):
        find_lookahead(strategy, bars)


@given(
    kind=st.sampled_from(["rolling", "ewm", "expanding", "breakout", "median", "weights", "gaps"]),
    window=st.integers(2, 40),
    lag=st.integers(0, 5),
    seed=st.integers(0, 10_000),
)
@settings(max_examples=40, deadline=None)
def test_causal_rules_pass(kind: str, window: int, lag: int, seed: int) -> None:
    """A rule made of past bars alone passes, whatever its windows and whatever the market."""

    def rule(bars: Any) -> Any:
        close = bars.close.shift(lag)
        change = np.log(bars.close).diff()
        return {
            "rolling": lambda: around(bars.close, close.rolling(window).mean()),
            "ewm": lambda: around(close.ewm(span=window).mean(), close.ewm(span=3 * window).mean()),
            "expanding": lambda: around(bars.close, close.expanding().mean()),
            "breakout": lambda: (
                bars.close > bars.high.rolling(window).max().shift(1),
                bars.close < bars.close.cummin(),
            ),
            "median": lambda: around(bars.close, close.rolling(window).quantile(0.4)),
            "weights": lambda: (0.01 / change.rolling(window).std()).clip(upper=1.0).shift(lag),
            "gaps": lambda: change.where(change.abs() > 0.02).ffill(limit=window).fillna(0.0),
        }[kind]()

    report = look(rule, make_bars(300, seed))
    assert report.found == []


@pytest.mark.parametrize(
    "rule",
    [
        lambda bars: (bars.close < 0, bars.close < 0),
        lambda bars: bars.close * 0,
    ],
)
def test_silence_is_inconclusive(rule: Rule, bars: Bars) -> None:
    """A rule that never decides anything is neither cleared nor accused."""
    report = look(rule, bars)
    assert report.inconclusive
    assert (report.found, report.decisions) == ([], 0)
    assert str(report).startswith("inconclusive: no decision fired in 600 bars")


@pytest.mark.parametrize(
    "rule", [lambda bars: bars.close.rolling(10_000).mean(), lambda bars: bars.close * np.nan], ids=["window", "nan"]
)
def test_weights_that_are_never_numbers_are_refused(rule: Rule, bars: Bars) -> None:
    """Weights that are NaN in every row, as with a window longer than the bars, are an error in one line."""
    with pytest.raises(StrategyError, match="every weight in 600 rows is NaN") as error:
        look(rule, bars)
    assert "\n" not in str(error.value)


def test_on_bar_is_causal_by_construction(bars: Bars) -> None:
    """A rule that is handed one bar at a time is cleared without cuts, or inconclusive when it never decides."""

    def on_bar(state: dict[str, float], bar: Any) -> float:
        before, state["close"] = state.get("close", bar.close), bar.close
        return float(bar.close > before)

    report = look(on_bar, bars)
    assert (report.found, report.inconclusive, report.cuts) == ([], False, 0)
    assert report.decisions > 100
    assert "made one bar at a time" in str(report)

    class Never:
        def on_bar(self, state: dict[str, float], bar: Any) -> None: ...

    (silent,) = load_strategies(Never, {})
    assert find_lookahead(silent, bars).inconclusive


def test_code_that_needs_bars_is_excused_when_they_are_few(bars: Bars) -> None:
    """Code that raises on a short history is compared where it runs; one that needs the last bars is found."""

    def patient(bars: Any) -> Any:
        if len(bars.close) < 60:
            raise ValueError("too few bars")
        return around(bars.close, bars.close.rolling(20).mean())

    def fixed(bars: Any) -> Any:
        return around(bars.close, bars.close.iloc[590])

    assert look(patient, bars).found == []
    assert "cannot decide without the bars after it (IndexError: " in look(fixed, bars).found[0]


def test_memory_between_universes_is_found(bars: Bars) -> None:
    """on_bar that remembers outside its state is refused: another call or another universe would see it."""
    seen: list[float] = []

    def on_bar(state: dict[str, float], bar: Any) -> float:
        seen.append(bar.close)
        return float(bar.close > float(np.mean(seen[-700:])))

    with pytest.raises(StrategyError, match="keep nothing between calls"):
        look(on_bar, bars)


def test_chance_is_refused(bars: Bars) -> None:
    """A rule that decides differently on the very same bars is refused, since no run of it can be repeated."""
    rng = np.random.default_rng()
    with pytest.raises(StrategyError, match=r"decides differently on the very same bars \(at 2015-"):
        look(lambda bars: bars.close * 0 + rng.random(), bars)


def test_mistakes_are_not_leaks(bars: Bars) -> None:
    """Code that raises on all bars is a mistake, told as such; a Series is refused before any universe is made."""
    with pytest.raises(StrategyError, match="division by zero"):
        look(lambda bars: 1 / 0, bars)
    with pytest.raises(StrategyError, match="is a Series"):
        look(lambda bars: bars.close.iloc[:, 0] * 0, bars)


@given(cuts=st.integers(1, 40), rows=st.integers(2, 300))
@settings(max_examples=20, deadline=None)
def test_bounds(cuts: int, rows: int) -> None:
    """At most so many cuts and so many of the latest bars are looked at; the report is plain JSON and repeatable."""
    bars = make_bars(250)
    report = look(lambda bars: around(bars.close, bars.close.rolling(10).mean()), bars, cuts=cuts, rows=rows)
    assert report.cuts <= cuts
    assert report.bars == min(rows, 250)
    assert json.loads(json.dumps(report.to_dict())) == report.to_dict()
    assert report == look(lambda bars: around(bars.close, bars.close.rolling(10).mean()), bars, cuts=cuts, rows=rows)


NEXT: dict[str, Callable[[Any], Any]] = {
    "falls": lambda bars: bars.close.shift(-1) < bars.close,
    "moves by more than 1%": lambda bars: (bars.close.shift(-1) / bars.close - 1).abs() > 0.01,
    "goes below": lambda bars: bars.low.shift(-1) < bars.close * 0.995,
    "is busy": lambda bars: bars.volume.shift(-1) > bars.volume.rolling(20).mean(),
    "five bars rise": lambda bars: bars.close.shift(-5) > bars.close,
}


def rare_leak(every: int, seed: int, kind: str = "falls") -> Rule:
    """Two averages that cross, and an exit by what comes next, on one bar in so many; never where it is 0."""

    def rule(bars: Any) -> Any:
        fast, slow = bars.close.rolling(5).mean(), bars.close.rolling(20).mean()
        chosen = (bars.volume * 1e3).round() % every == seed % every if every else bars.volume < 0
        return fast > slow, (fast < slow) | (chosen & NEXT[kind](bars))

    return rule


@pytest.mark.parametrize(("every", "seed"), [(100, 0), (300, 1), (300, 2), (300, 3)])
def test_rare_leaks_are_found(every: int, seed: int) -> None:
    """A leak that touches one bar in 300 is found, since every bar is looked behind where the code is fast."""
    assert look(rare_leak(every, seed), make_bars(1500, seed)).found


@pytest.mark.parametrize("kind", NEXT)
def test_rare_leaks_of_code_that_takes_one_series_are_found(kind: str) -> None:
    """Code that is called for each series by itself is looked behind at every bar too, where a call is quick."""

    def one_series(bars: pd.DataFrame) -> Any:
        assert len(bars)  # many series at once have no length
        return tuple(side.to_numpy() for side in rare_leak(100, 1, kind)(bars))

    (strategy,) = load_strategies(one_series, {})
    bars = make_bars(400, 1)
    strategy = detect_call_style(strategy, bars)
    assert strategy.one_by_one
    assert find_lookahead(strategy, bars, patience=120.0).found


@pytest.mark.slow
@pytest.mark.parametrize("kind", NEXT)
@pytest.mark.parametrize("every", [100, 300])
def test_nearly_all_rare_leaks_are_found(every: int, kind: str) -> None:
    """At least 95% of the leaks that touch a decision in a hundred or in three hundred."""
    found = []
    for seed in range(60):
        bars = make_bars(2500, seed)
        panel = Panel.of(Universes.from_bars(bars, bars[:0]), 0)
        leaking, honest = rare_leak(every, seed, kind)(panel)[1], rare_leak(0, seed, kind)(panel)[1]
        if (leaking != honest).to_numpy().any():
            found.append(bool(look(rare_leak(every, seed, kind), bars).found))
    assert len(found) > 25  # the others touch none
    assert np.mean(found) >= 0.95


def test_the_share_of_decisions_that_were_checked_is_said() -> None:
    """All of them where the code is fast; a part where a call takes long, those first where the decision changes."""
    report = look(lambda bars: around(bars.close, bars.close.rolling(20).mean()), make_bars(500))
    assert report.checked == 1.0
    assert "100% of them checked" in report.covered

    def slow(bars: pd.DataFrame) -> Any:
        return (bars.close > bars.close.rolling(20).mean()).to_numpy(), np.zeros(len(bars), dtype=bool)

    (strategy,) = load_strategies(slow, {})
    strategy = detect_call_style(strategy, make_bars(500))
    whole, part = (find_lookahead(strategy, make_bars(500), patience=patience) for patience in (120.0, 0.0))
    assert whole.checked == 1.0
    assert 0 < part.checked < 1
    assert (whole.futures - 2 * 499) == (part.futures - 2 * 8) == 2 * lookahead.CUTS


def test_bars_where_decisions_change_are_looked_behind_first() -> None:
    """Any part of the order holds them first, and the others spread over all bars."""
    changes = np.array([3, 50, 51, 700])
    order = lookahead._by_weight(1000, changes)
    assert sorted(order.tolist()) == list(range(1, 1000))
    assert set(order[:4].tolist()) == {4, 51, 52, 701}
    assert np.diff(np.sort(order[4:104])).max() < 30


def test_seeded_numbers_of_the_shape_of_the_bars_are_no_leak() -> None:
    """Random exits drawn after random entries from one seed change with the number of bars, not with the bars."""

    def drawn(bars: Any) -> Any:
        rng = np.random.default_rng(7)
        return tuple(rng.random(bars.close.shape) < 0.05 for _ in range(2))

    def leaking(bars: Any) -> Any:
        rng = np.random.default_rng(7)
        entries, exits = (rng.random(bars.close.shape) < 0.05 for _ in range(2))
        return entries & (bars.close.shift(-1) > bars.close).to_numpy(), exits

    for rule, leaks in ((drawn, False), (leaking, True)):
        (strategy,) = load_strategies(rule, {})
        report = find_lookahead(detect_call_style(strategy, make_bars(500)), make_bars(500))
        assert bool(report.found) == leaks, str(report)
