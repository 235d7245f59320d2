"""Stored runs held against what followed: new bars, and the strategy's result on them or an account's own.

The fan begins at the last bar that the run knew. Where that is the run's origin the universes are the run's own; else
its generator goes on from there with the run's seed. What that takes is kept beside the history, so that a later look
takes seconds.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from stresslab.analysis.case import Benchmarks
from stresslab.analysis.result_decisions import Tracked
from stresslab.analysis.sides import sides
from stresslab.analysis.tracking import Live, Looked, Reference, Stamps, Watch, tracked, waiting
from stresslab.backtest import backtest
from stresslab.core.arrays import FloatArray
from stresslab.core.errors import InputError
from stresslab.core.whole_files import put, put_text
from stresslab.data.bars import CLOSE, Bars
from stresslab.data.market_index import IndexBars
from stresslab.data.sources.load import load_bars
from stresslab.data.universes import Universes
from stresslab.report.charts.chart import stamp_texts
from stresslab.report.formats.decision_page import DecisionPage, PageSection, render_decision
from stresslab.report.formats.text import table, wrapped
from stresslab.report.sections import provenance
from stresslab.report.sections.strategy import answer, conditions
from stresslab.report.sections.tracking import headline, state, summary, tracking_tables
from stresslab.report.wording import UNDEFINED, clean, percent
from stresslab.runs.account_file import equity_at
from stresslab.runs.accounts import Progress, RunStrategy, StoredRun, stored_run
from stresslab.runs.environment import code

if TYPE_CHECKING:
    from stresslab.runs.decision_settings import TrackSettings

TRACKING = "tracking"
"""Folder beside the runs with a folder for each that is tracked."""
STATE, HISTORY, REFERENCE, PAGE = "track.json", "history.jsonl", "reference.npz", "track.html"
SAME = 1e-3
"""Relative difference up to which a close is the one that the run knew."""
PAST = 500
"""Bars before the fan from which its volatility starts, at most."""


@dataclass(frozen=True, eq=False)
class TrackedRun:
    """One run and where each of its strategies stands.

    Attributes:
        run: its folder.
        states: by name of the strategy.
        watches: monitors of each, likewise; none before there are bars.
        looks: what these saw.
        lives: what followed.
        stamps: (T + 1,) of the last bar that the run knew and of the horizon.
        described: what the page rests on.
        answers: what the run said of each strategy.
        conditions: under what that holds.
        stamp: of the run.
    """

    run: Path
    states: Mapping[str, Tracked]
    watches: Mapping[str, Watch]
    looks: Mapping[str, list[Looked]]
    lives: Mapping[str, Live]
    stamps: list[str]
    described: str
    answers: Mapping[str, str]
    conditions: str
    stamp: str

    @property
    def outside(self) -> bool:
        """Whether any strategy is."""
        return any(one.state == "outside" for one in self.states.values())

    def page(self) -> str:
        """The page."""
        sections = []
        for at, (name, found) in enumerate(self.states.items(), 1):
            watch, looks = self.watches.get(name), self.looks.get(name, [])
            tables = [] if watch is None else tracking_tables(found, watch, looks, self.stamps, f"track-{at}")
            lines = [headline(found), f"The run said: {self.answers[name]}. {self.conditions}"]
            sections.append(PageSection(f"strategy-{at}", clean(name), tables, lines))
        chips = [("alert" if one.state == "outside" else "plain", f"{clean(name)}: {state(one)}")
                 for name, one in self.states.items()]  # fmt: skip
        return render_decision(DecisionPage("track", clean(self.run.name), self.described, sections, chips, self.stamp))

    def save(self, folder: Path) -> list[Path]:
        """Write page and state, and add a line for each strategy to the history."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        facts = {
            "run": self.run.name,
            "checked": now,
            "strategies": {k: one.to_dict() for k, one in self.states.items()},
        }
        put_text(folder / PAGE, self.page())
        put_text(folder / STATE, json.dumps(facts, indent=1, allow_nan=False) + "\n")
        kept = (folder / HISTORY).read_text(encoding="utf-8") if (folder / HISTORY).exists() else ""
        shown = ("name", "state", "since", "cause", "bars", "last", "account_return", "price_change")
        lines = [
            json.dumps({"checked": now} | {key: value for key, value in one.to_dict().items() if key in shown})
            for one in self.states.values()
        ]
        put_text(folder / HISTORY, kept + "".join(f"{line}\n" for line in lines))
        return [folder / name for name in (PAGE, STATE, HISTORY)]


def track_run(
    run: str | Path, settings: TrackSettings, folder: Path, source: str | None = None, progress: Progress | None = None
) -> TrackedRun:
    """Where the strategies of a stored run stand.

    Args:
        run: its folder.
        settings: what is asked.
        folder: keeps what a later look needs.
        source: of the bars; None for the run's own.
        progress: called with (stage, done, total).

    Raises:
        InputError: the bars are not those that go on from the run's, or the run cannot be made again.
    """
    stored = stored_run(run, settings.strategy, jobs=settings.jobs, model=settings.model)
    known, horizon = stored.was.bars, stored.was.settings.horizon
    if isinstance(known, IndexBars):
        raise InputError(f"{run} is of several symbols, which cannot be tracked yet; track runs of one symbol")
    news = new_bars(known, source or stored.was.settings.data, horizon)
    references = _references(stored, known, folder, progress) if len(news) else {}
    future = known.calendar.future(known.timestamps, horizon)
    texts = stamp_texts(pd.DatetimeIndex([known.timestamps[-1], *news.timestamps, *future[len(news) :]]))
    closes = news.values[:, CLOSE] / known.values[-1, CLOSE]
    states, watches, looks, lives = {}, {}, {}, {}
    for one in stored.strategies:
        name = one.result.name
        equity = (
            _equity_of(one, stored, known, news)
            if settings.equity is None
            else equity_at(settings.equity, known.timestamps[-1], news.timestamps)
        )
        lives[name] = live = Live(closes, equity)
        if not len(news):
            states[name] = waiting(name, horizon, _claim(one), texts[0])
            continue
        watches[name] = watch = Watch(references[name])
        looks[name] = watch.look(live)
        states[name] = tracked(name, watch, live, Stamps(texts[1 : len(news) + 1], _claim(one)))
    described = f"{horizon:,} bars after {texts[0]} · generated by {stored.was.generator.name}"
    said = {one.result.name: answer(one.result) for one in stored.strategies}
    holds_for, stamp = conditions(stored.result), provenance.stamp(stored.result)
    return TrackedRun(Path(run), states, watches, looks, lives, texts, described, said, holds_for, stamp)


def new_bars(known: Bars, source: str, most: int) -> Bars:
    """The bars after those that a run knew, a horizon at most.

    Raises:
        InputError: where both have bars, they are not the same.
    """
    loaded = load_bars(source)
    both = known.timestamps.intersection(loaded.timestamps)[-5:]
    then, now = (bars.values[bars.timestamps.get_indexer(both), CLOSE] for bars in (known, loaded))
    apart = np.abs(now / then - 1) > SAME
    if apart.any():
        at = int(np.argmax(apart))
        raise InputError(
            f"the close of {both[at]} is {now[at]:.10g} in {source} and {then[at]:.10g} in the run's bars: adjusted "
            "since, or another market; give bars that go on from the run's"
        )
    later = loaded[int(loaded.timestamps.searchsorted(known.timestamps[-1], side="right")) :]
    return later[:most]


def _claim(one: RunStrategy) -> float | None:
    """The edge that the run expects: the mean of what it supports, unless it says that there is none."""
    label = None if one.result.edge is None else one.result.edge.label
    if one.posterior is None or label == "no" or one.posterior.mean <= 0:
        return None
    return float(one.posterior.mean)


def _references(stored: StoredRun, known: Bars, folder: Path, progress: Progress | None) -> dict[str, Reference]:
    """What the universes say of each strategy; kept, since sampling takes long."""
    names = [one.result.name for one in stored.strategies]
    assert stored.result.stamp is not None
    key = json.dumps([stored.result.stamp.manifest, code()["sha256"], names])
    past = np.diff(np.log(known.values[-PAST - 1 :, CLOSE]))
    path = folder / REFERENCE
    if not (found := _kept(path, key)):
        universes, benchmarks = stored.universes(known, progress), Benchmarks()
        closes = universes.values[:, :, CLOSE].T.astype(np.float64) / known.values[-1, CLOSE]
        found = {"key": np.array(key), "closes": closes.astype(np.float32)}
        for at, one in enumerate(stored.strategies):
            case = stored.case(one, universes, benchmarks)
            accounts, claim = sides(case, one.posterior), _claim(one)
            found[f"equity-{at}"] = accounts.by_name[accounts.best_known].equity[1:].astype(np.float32)
            found[f"ids-{at}"] = np.flatnonzero(np.isin(universes.ids, case.account.ids))
            side = None if claim is None else accounts.with_edge(claim)
            if side is not None:
                found[f"claimed-{at}"] = side.equity[1:].astype(np.float32)
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **found)  # type: ignore[arg-type]
        put(path, lambda temporary: temporary.write_bytes(buffer.getvalue()))
    made = {name: array.astype(np.float64) for name, array in found.items() if array.dtype == np.float32}
    return {
        name: Reference(made["closes"][:, found[f"ids-{at}"]], made[f"equity-{at}"], made.get(f"claimed-{at}"), past)
        for at, name in enumerate(names)
    }


def _kept(path: Path, key: str) -> dict[str, np.ndarray]:
    """What is kept, if it is of this run, these strategies and this code."""
    if not path.exists():
        return {}
    try:
        with np.load(path, allow_pickle=False) as content:
            found = {name: content[name] for name in content.files}
    except (OSError, ValueError, KeyError, EOFError):
        return {}  # cut short or damaged: made again
    return found if str(found.get("key")) == key else {}


def _equity_of(one: RunStrategy, stored: StoredRun, known: Bars, news: Bars) -> FloatArray:
    """The strategy's account on the new bars (t,), in units of the initial capital, at each close with what is open.

    One flat bar more is put behind them, since an account closes what is open at its last bar.
    """
    if not len(news):
        return np.empty(0)
    last = news.values[-1].copy()
    last[:CLOSE] = last[CLOSE]
    stamps = pd.DatetimeIndex([*news.timestamps, *known.calendar.future(news.timestamps, 1)])
    values = np.vstack([news.values, last])
    extended = replace(known, timestamps=stamps, values=values, notices=(), repaired=0)
    real, terms = Universes.from_bars(extended, known), stored.was.settings.terms()
    account = backtest(one.strategy, real, terms, periods_per_year=known.periods_per_year)
    return np.asarray(account.equity[1:-1, 0] / account.init_cash)


def listed(runs: list[TrackedRun]) -> str:
    """All runs in a table, and for each strategy what to do."""
    rows = [
        [clean(run.run.name), clean(name), state(one).upper(), one.since or UNDEFINED, f"{one.bars} of {one.horizon}",
         percent(one.account_return, signed=True), percent(one.price_change, signed=True)]
        for run in runs for name, one in run.states.items()
    ]  # fmt: skip
    headings = ["Run", "Strategy", "State", "Since", "Bars", "Account", "Price"]
    blocks = [table(headings, rows, left=4)]
    for run in runs:
        for name, one in run.states.items():
            blocks.append(wrapped(f"{clean(name)}: {headline(one)} {summary(one)}", first="", hanging=2))
            blocks[-1] += wrapped(f"The run said: {run.answers[name]}.")
        blocks.append(wrapped(run.conditions, first="", hanging=2))
    return "\n\n".join("\n".join(line.rstrip() for line in block) for block in blocks)
