"""The ledger: the same bars are known again, every variant that was tested on them counts once, nothing breaks it."""

from __future__ import annotations

import json
import os
import shutil
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import stresslab as sl
from stresslab.backtest import Stops, Terms
from stresslab.cli import main
from stresslab.core.errors import InputError
from stresslab.core.safe_files import MAX_JSON
from stresslab.data.bars import Bars
from stresslab.runs.folder import load_run
from stresslab.runs.rerun import rerun
from stresslab.runs.trial_ledger import (
    LEDGER,
    MARKS,
    Earlier,
    Entry,
    add,
    before,
    check_ledger,
    entries,
    marks_of,
    same_bars,
)
from stresslab.strategy import Strategy, load_strategies
from tests.make.arguments import arguments
from tests.make.bars import make_bars

BARS = make_bars(2000)
QUICK = {"generator": sl.StationaryBootstrap(block=10), "universes": 30, "horizon": 20, "realism_origins": 0, "jobs": 1}


def above(bars: Any, window: int = 20) -> Any:
    """Long while the close is above its mean."""
    up = bars.close > bars.close.rolling(window).mean()
    return up, ~up


def strategies(*windows: int) -> list[Strategy]:
    """The rule, once for each window."""
    return [load_strategies(above, {"window": window})[0] for window in windows]


def entry(bars: Bars = BARS, windows: tuple[int, ...] = (20,), terms: Terms | None = None) -> Entry:
    """What a run of the rule tests."""
    return Entry.of(bars, strategies(*windows), terms or Terms())


def noted(folder: Path, *found: Entry) -> Path:
    """A folder in whose ledger these stand."""
    folder.mkdir(exist_ok=True)
    for number, one in enumerate(found):
        add(folder, {"run": f"run-{number}", "time": "2024-01-01", **one.to_dict()})
    return folder


# -------------------------------------------------------------------------------------------------- the same bars


@given(st.integers(0, 1400), st.integers(60, 600), st.integers(0, 1400), st.integers(60, 600))
def test_windows_of_one_market_are_the_same_data_where_they_share_half(a: int, m: int, b: int, n: int) -> None:
    """However long each is, and wherever it begins; little in common is not the same."""
    one, other = entry(BARS[a : a + m]), entry(BARS[b : b + n])
    shared = min(one.last, other.last) - max(one.first, other.first)
    shorter = min(one.last - one.first, other.last - other.first)
    assert same_bars(one, other) == same_bars(other, one) == (shared >= shorter / 2 or one.digest == other.digest)


@pytest.mark.parametrize("seed", range(5))
def test_a_few_bars_of_a_long_history_are_known_again(seed: int) -> None:
    """Bars of a year within those of eighty: the marks of both are told apart by their place in time alone."""
    long = make_bars(20_000, seed, start="1920-01-01")
    for at in range(0, 19_000, 2_500):
        assert same_bars(entry(long), entry(long[at : at + 400]))


def test_more_bars_another_origin_another_scale_or_name_change_nothing() -> None:
    """What a user does between two tests of the same data does not hide that they are the same."""
    of_all = entry()
    values = BARS.values.copy()
    values[:, :4] /= 7.0
    rescaled = Bars(BARS.timestamps, values, symbol="OTHER", source="elsewhere.csv")
    for other in (BARS[:1990], BARS[:1500], BARS[400:], BARS[700:1400], rescaled):
        assert same_bars(of_all, entry(other))


def test_another_market_or_another_time_is_other_data() -> None:
    """The same days with other prices, the same prices on other days, or hours instead of days."""
    of_all = entry()
    assert not same_bars(of_all, entry(make_bars(2000, seed=1)))
    assert not same_bars(of_all, entry(Bars(BARS.timestamps + np.timedelta64(1, "h"), BARS.values)))
    assert not same_bars(entry(BARS[:600]), entry(BARS[500:1100]))
    assert not same_bars(of_all, entry(make_bars(2000, freq="h")))


def test_bars_that_never_move_are_known_by_their_digest() -> None:
    """Or by their symbol: they have no marks."""
    values = np.full((80, 6), 5.0)
    flat = Bars(BARS.timestamps[:80], values)
    assert marks_of(flat) == {}
    assert same_bars(entry(flat), entry(flat))
    assert not same_bars(entry(flat), entry(Bars(BARS.timestamps[:80], values + 1, symbol="OTHER")))


def test_marks_are_few_and_say_what_moved() -> None:
    """At most `MARKS`, in order of time, each the log return to the close of its bar."""
    marks = marks_of(BARS)
    assert len(marks) == MARKS
    assert list(marks) == sorted(marks)
    closes = np.log(BARS.close)
    moves = closes.diff()[np.isin(BARS.timestamps.asi8 // 10**9, list(marks))]
    assert [float(move) for move in marks.values()] == pytest.approx(moves.to_list(), rel=0.006)


# -------------------------------------------------------------------------------------------------- counting


def test_every_variant_counts_once(tmp_path: Path) -> None:
    """Another seed or origin is no other variant; another parameter, code or stop is."""
    folder = noted(tmp_path, entry(), entry(BARS[:1800]), entry(windows=(30,)))
    assert before(folder, entry()) == Earlier(3, 2, 2.0, 1.0, 0)
    assert before(folder, entry(windows=(40,))).repeated == 0
    assert before(folder, entry(windows=(20, 40))).repeated == 0.5
    assert before(folder, entry(terms=Terms(stops=Stops(0.05)))).repeated == 0
    other = [replace(one, digest="0" * 64) for one in strategies(20)]
    assert before(folder, Entry.of(BARS, other, Terms())).repeated == 0
    assert before(folder, entry(terms=Terms(warmup=100, init_cash=5.0))).repeated == 1
    assert before(folder, entry(make_bars(2000, seed=1))) == Earlier(elsewhere=2.0)


def test_trials_add_up_and_are_not_counted_twice(tmp_path: Path) -> None:
    """A grid that amounts to 1.5 trials is 1.5 for its best member alone, and 2.5 beside something new."""
    folder = noted(tmp_path, replace(entry(windows=(20, 30, 40)), trials=1.5))
    assert before(folder, entry(windows=(30,))).with_these(1.0) == pytest.approx(1.5)
    assert before(folder, entry(windows=(50,))).with_these(1.0) == pytest.approx(2.5)
    assert before(folder, entry(windows=(50, 30))).with_these(1.8) == pytest.approx(2.4)
    assert Earlier().with_these(3.0) == 3.0
    noted(tmp_path, replace(entry(windows=(20, 50)), trials=2.0))
    assert before(folder, entry(windows=(50,))) == Earlier(2, 4, 2.5, 1.0, 0)


def test_without_a_ledger_nothing_is_known(tmp_path: Path) -> None:
    """No folder, an empty one, or what another ledger said."""
    assert before(None, entry()) == before(tmp_path, entry()) == before(tmp_path / "none", entry()) == Earlier()
    told = Earlier(2, 3, 2.5, 0.5, 0)
    assert before(told, entry()) is told
    assert Earlier.from_dict(json.loads(json.dumps(told.to_dict()))) == told


@pytest.mark.parametrize("wrong", [{"runs": -1}, {"trials": float("nan")}, {"repeated": 2.0}, {"variants": "many"}])
def test_counts_that_are_none_are_refused(wrong: dict[str, Any]) -> None:
    """As a manifest from elsewhere may hold them."""
    with pytest.raises(ValueError):  # noqa: PT011 (int() has words of its own)
        Earlier.from_dict(Earlier().to_dict() | wrong)


# -------------------------------------------------------------------------------------------------- what may be there


def test_a_torn_line_harms_no_other(tmp_path: Path) -> None:
    """What was being written when the power failed is counted as unread, and the next line is whole."""
    folder = noted(tmp_path, entry(), entry(windows=(30,)))
    content = (folder / LEDGER).read_bytes()
    (folder / LEDGER).write_bytes(content[:-200])
    noted(folder, entry(windows=(40,)))
    known, unread = entries(folder)
    assert ([one.keys for one in known], unread) == ([entry().keys, entry(windows=(40,)).keys], 1)


GOOD = {"symbol": "A", "digest": "d", "first": 0, "last": 9, "trials": 1, "variants": [{"name": "a"}], "marks": {}}
FOREIGN = (
    *(b"null", b"[]", b"{}", b"1e999", b"\0\0", b'{"variants": 1}', b"[" * 100_000, b"\xff\xfe", b"9" * 5000),
    *(
        json.dumps(GOOD | wrong).encode()
        for wrong in (
            {"trials": float("nan")}, {"trials": 1e308}, {"trials": -1}, {"trials": "x"}, {"first": 10},
            {"last": 10**30}, {"first": -(10**30)}, {"marks": {str(n): "1" for n in range(MARKS + 1)}},
            {"marks": {"x": "1"}}, {"marks": {str(10**30): "1"}}, {"marks": []}, {"variants": []},
            {"variants": {"a": 1}}, {"variants": [1]}, {"last": 1e400},
        )
    ),
)  # fmt: skip


def test_lines_of_others_are_passed_over_and_told(tmp_path: Path) -> None:
    """Whatever they hold, they raise nothing, weigh nothing and hide nothing."""
    folder = noted(tmp_path, entry())
    with (folder / LEDGER).open("ab") as stream:
        stream.write(b"\n".join([*FOREIGN, json.dumps(GOOD).encode(), b"", b""]))
    noted(folder, entry(windows=(30,)))
    assert before(folder, entry()) == Earlier(2, 2, 2.0, 1.0, len(FOREIGN))


@given(st.binary(max_size=300))
def test_any_bytes_are_read_as_no_entry(content: bytes) -> None:
    """Reading never raises."""
    for line in content.decode("utf-8", "replace").split("\n"):
        assert Entry.from_line(line) is None


@pytest.mark.parametrize("kind", ["link", "folder", "pipe"])
def test_what_is_no_file_is_refused_in_one_line(tmp_path: Path, kind: str) -> None:
    """A link is not followed, a pipe is not waited for; reading, adding and the check before a run all refuse."""
    place, target = tmp_path / LEDGER, tmp_path / "elsewhere"
    target.write_text("precious")
    {"link": lambda: place.symlink_to(target), "folder": place.mkdir, "pipe": lambda: os.mkfifo(place)}[kind]()
    for act in (lambda: before(tmp_path, entry()), lambda: noted(tmp_path, entry()), lambda: check_ledger(tmp_path)):
        with pytest.raises(InputError) as caught:
            act()
        assert "\n" not in str(caught.value)
    assert target.read_text() == "precious"


def test_a_ledger_too_large_to_read_is_refused(tmp_path: Path) -> None:
    """Before memory is taken for it."""
    with (tmp_path / LEDGER).open("wb") as stream:
        stream.truncate(MAX_JSON + 1)
    for act in (lambda: before(tmp_path, entry()), lambda: check_ledger(tmp_path)):
        with pytest.raises(InputError, match="more than"):
            act()


def test_runs_that_are_stored_at_once_are_all_there(tmp_path: Path) -> None:
    """Eight writers, forty lines each, every line whole."""
    one = {"run": "x" * 5000, **entry().to_dict()}
    writers = [threading.Thread(target=lambda: [add(tmp_path, one) for _ in range(40)]) for _ in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    known, unread = entries(tmp_path)
    assert (len(known), unread) == (320, 0)


# -------------------------------------------------------------------------------------------------- in a run


def test_earlier_variants_are_trials_of_the_next_test(tmp_path: Path) -> None:
    """Edge and deflated Sharpe ratio are judged as the best of all that were tested, and the notices say so."""
    bars = BARS[:600]
    first = sl.stress_test(above, bars, **arguments(permutations=39, ledger=tmp_path, **QUICK))
    assert first.studies.ledger.to_dict() == Earlier().to_dict()
    assert not any("tested" in notice for notice in first.notices)
    first.save(tmp_path)
    second = sl.stress_test(
        above, bars[:590], params={"window": 30}, **arguments(permutations=39, trials=1, ledger=tmp_path, **QUICK)
    )
    assert second.studies.ledger.to_dict() == Earlier(1, 1, 1.0, 0.0, 0).to_dict()
    assert second.studies.selection.effective_trials == 2.0
    assert second.strategies[0].edge is not None
    assert "as the best of 2 trials" in second.strategies[0].edge.checks[1].note
    assert any("tested once before, with 1 variant" in notice for notice in second.notices)
    alone = sl.stress_test(above, bars[:590], params={"window": 30}, **arguments(permutations=39, trials=1, **QUICK))
    assert alone.studies.ledger is None
    assert alone.studies.selection.effective_trials == 1.0
    assert alone.metrics.equals(second.metrics)
    deflated = [one.studies.selection.deflated_sharpe["above"].deflated for one in (alone, second)]
    assert deflated[1] < deflated[0]


@pytest.mark.slow
def test_only_a_new_run_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`run` counts, also when its folder is deleted; `rerun`, `show`, `report` and `verify` do not; bytes stay."""
    out = tmp_path / "runs"
    make_bars(400).frame.to_csv(tmp_path / "bars.csv", index_label="date")
    (tmp_path / "above.py").write_text(
        "def signals(bars, window=20):\n    up = bars.close > bars.close.rolling(window).mean()\n    return up, ~up\n"
    )
    words = [
        *("run", tmp_path / "above.py", "--data", tmp_path / "bars.csv", "--out", out, "--generator", "bootstrap"),
        *("--universes", 20, "--horizon", 12, "--realism-origins", 0, "--warmup", 50, "--permutations", 19),
    ]
    assert main([str(word) for word in words]) == 0
    assert "tested" not in capsys.readouterr().out
    (first,) = out.glob("*/")
    shutil.rmtree(first)
    assert main([str(word) for word in [*words, "--seed", 3, "--param", "window=10", "-v"]]) == 0
    assert "tested once before, with 1 variant of strategies" in " ".join(capsys.readouterr().out.split())
    (second,) = out.glob("*/")
    lines = (out / LEDGER).read_text()
    assert len(lines.splitlines()) == 2
    assert json.loads(lines.splitlines()[1])["run"] == second.name
    again = rerun(second, jobs=1)
    assert again.same
    assert again.result.to_dict()["strategies"] == load_run(second).to_dict()["strategies"]
    assert again.result.notices == load_run(second).notices
    assert again.result.tested is None
    assert again.result.save(tmp_path / "again").exists()
    assert not (tmp_path / "again" / LEDGER).exists()
    for words in (["show", second], ["verify", second], ["report", second, "--format", "json"]):
        assert main([str(word) for word in words]) == 0
    assert (out / LEDGER).read_text() == lines


def test_a_ledger_that_cannot_be_added_to_is_refused_before_the_work(tmp_path: Path) -> None:
    """By the command line, in one line, with nothing left behind."""
    (tmp_path / "runs" / LEDGER).mkdir(parents=True)
    words = ["run", "no_such.py", "--data", "sample:nasdaq", "--out", str(tmp_path / "runs")]
    assert main(words) == 2
    assert [path.name for path in (tmp_path / "runs").iterdir()] == [LEDGER]


# ------------------------------------------------------------------------------------------ other markets, frozen rules


def test_the_same_code_on_other_markets_counts_as_trials(tmp_path: Path) -> None:
    """One rule on three markets is three trials on the third; again on one of them none more; other code none."""
    markets = [entry(make_bars(2000, seed=seed)) for seed in (11, 12, 13)]
    folder = noted(tmp_path, markets[0], markets[1], markets[1])
    found = before(folder, markets[2])
    assert (found.runs, found.trials, found.elsewhere) == (0, 0.0, 2.0)
    assert found.with_these(1.0) == 3.0
    assert before(folder, entry(make_bars(2000, seed=13), windows=(50,))).elsewhere == 2.0
    other = replace(markets[2], variants=({**markets[2].variants[0], "sha256": "0" * 64},))
    assert before(folder, other).elsewhere == 0.0


def test_bars_after_a_freeze_are_fresh_and_looks_at_them_are_counted(tmp_path: Path) -> None:
    """What was seen before the freeze is not fresh, whoever saw it; each later run that looked further counts."""
    frozen = replace(entry(BARS[:1000]), frozen="2020-01-01T00:00:00")
    seen = entry(BARS[:1200], windows=(50,))
    folder = noted(tmp_path, seen, frozen, entry(BARS[:1100]), entry(BARS[:1400]), entry(BARS[:1500], windows=(50,)))
    found = before(folder, entry(BARS[:1600]))
    assert found.frozen == {0: (seen.last, 1)}
    assert before(folder, entry(BARS[:1600], windows=(50,))).frozen == {}
    assert before(folder, entry(make_bars(2000, seed=5))).frozen == {}
    assert found.runs == 4
    assert Earlier.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_a_line_of_a_freeze_is_read_again(tmp_path: Path) -> None:
    """A freeze is a line of the ledger like a run's, and counts as none."""
    frozen = replace(entry(), frozen="2020-01-01T00:00:00")
    assert Entry.from_line(json.dumps(frozen.to_dict())) == frozen
    assert "frozen" not in entry().to_dict()
    assert before(noted(tmp_path, frozen), entry(BARS[:1500])).runs == 0
