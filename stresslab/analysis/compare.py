"""Two or more runs beside each other: paired universe by universe where they share them, side by side where not.

Runs share universes when everything that decides those is the same: bars, origin, horizon, generator, seed and count.
Then differences between strategies, costs or settings are not blurred by chance among the universes, which is the same
on both sides. The report shows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from stresslab.analysis.result import StrategyResult, StressResult
from stresslab.core.display import Displayed
from stresslab.core.errors import InputError
from stresslab.metrics.distribution import Interval, wilson
from stresslab.metrics.paired import Difference, differences

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class Entry:
    """A strategy of one of the runs.

    Attributes:
        run: letter of the run.
        strategy: as found there.
    """

    run: str
    strategy: StrategyResult

    @property
    def name(self) -> str:
        """Unique among all runs."""
        return f"{self.run}: {self.strategy.name}"


@dataclass(frozen=True)
class Pair:
    """One strategy of the first run and one of another, universe by universe.

    Attributes:
        first: of the first run.
        second: of the other.
        difference: of the total return, second less first.
        worse: share of universes that only the second loses, with its interval.
        spared: share of universes that only the first loses, with its interval.
        gaps: (N,) second less first.
    """

    first: Entry
    second: Entry
    difference: Difference
    worse: Interval
    spared: Interval
    gaps: np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Comparison(Displayed):
    """What was compared, and how.

    Attributes:
        runs: results by letter, in the order given.
        folders: where they came from, by letter.
        entries: every strategy of every run.
        differing: settings that are not the same in all runs: name to value by letter.
        unpaired: why a run does not pair with the first, by letter; a run that is not in it is paired.
        pairs: of the runs that are.
        same_horizon: whether returns and drawdowns of all runs are over the same number of bars.
    """

    runs: dict[str, StressResult]
    folders: dict[str, str]
    entries: list[Entry]
    differing: dict[str, dict[str, Any]]
    unpaired: dict[str, str]
    pairs: list[Pair]
    same_horizon: bool


def compare(results: Sequence[StressResult], folders: Sequence[str] | None = None) -> Comparison:
    """Compare runs, the first of which the others are held against.

    Args:
        results: two or more.
        folders: where they came from, for people.

    Raises:
        InputError: there are too few or too many of them.
    """
    if not 2 <= len(results) <= len(LETTERS):
        count = "1 run" if len(results) == 1 else f"{len(results)} runs"
        raise InputError(f"{count} cannot be compared; name 2 to {len(LETTERS)} folders of runs")
    runs = dict(zip(LETTERS, results, strict=False))
    named = dict(zip(LETTERS, folders or [""] * len(results), strict=False))
    first, *others = runs
    unpaired = {letter: why for letter in others if (why := why_not_paired(runs[first], runs[letter]))}
    pairs = [
        pair for letter in others if letter not in unpaired for pair in _pairs(first, runs[first], letter, runs[letter])
    ]
    spans = {(one.horizon, one.data.periods_per_year) for one in results}
    return Comparison(
        runs=runs,
        folders=named,
        entries=[Entry(letter, one) for letter, result in runs.items() for one in result.strategies],
        differing=_differing(runs),
        unpaired=unpaired,
        pairs=pairs,
        same_horizon=len(spans) == 1,
    )


def why_not_paired(first: StressResult, other: StressResult) -> str:
    """Which of the things that decide universes differ; empty where two runs share their universes."""
    ours, theirs = (_identity(one) for one in (first, other))
    differ = [name for name in dict.fromkeys([*ours, *theirs]) if ours.get(name) != theirs.get(name)]
    if differ:
        return "; ".join(f"{name} {_short(ours.get(name))} against {_short(theirs.get(name))}" for name in differ)
    if not np.array_equal(first.fan.to_numpy(), other.fan.to_numpy()):
        return "their universes differ, although all that should decide them is the same"
    return ""


def _identity(result: StressResult) -> dict[str, Any]:
    """Everything that decides the universes of a run, by what people call it."""
    generator = {f"generator's {name}": value for name, value in result.generator.items() if name != "name"}
    return {
        "bars": result.data.digest,
        "origin": str(result.origin),
        "horizon": result.horizon,
        "universes": result.universes_count,
        "seed": result.config.get("seed"),
        "generator": result.generator.get("name"),
        **generator,
    }


def _short(value: Any) -> str:
    """A value in few signs."""
    text = str(value).removesuffix(" 00:00:00")
    return text if len(text) <= 32 else f"{text[:12]}…"


def _pairs(letter: str, first: StressResult, other_letter: str, other: StressResult) -> list[Pair]:
    """Strategies of the same name; where no name is in both runs, each of the one with each of the other."""
    ours, theirs = ({one.name: one for one in result.strategies} for result in (first, other))
    common = [name for name in ours if name in theirs]
    names = [(name, name) for name in common] or [(one, two) for one in ours for two in theirs]
    return [_pair(Entry(letter, ours[one]), Entry(other_letter, theirs[two])) for one, two in names]


def _pair(first: Entry, second: Entry) -> Pair:
    table = pd.DataFrame(
        {key: entry.strategy.metrics["total_return"] for key, entry in (("second", second), ("first", first))}
    )
    one, two = table["first"].to_numpy(dtype=np.float64), table["second"].to_numpy(dtype=np.float64)  # (N,)
    found = differences(table)[0]
    if found.first != "second":  # the best comes first there
        found = replace(found.reversed, first=second.name, second=first.name)
    lost_first, lost_second = one < 0, two < 0
    return Pair(
        first,
        second,
        found,
        worse=wilson(int((lost_second & ~lost_first).sum()), len(one)),
        spared=wilson(int((lost_first & ~lost_second).sum()), len(one)),
        gaps=two - one,
    )


def _differing(runs: dict[str, StressResult]) -> dict[str, dict[str, Any]]:
    """Settings and inputs that are not the same everywhere."""
    facts_of = {letter: _told(result) for letter, result in runs.items()}
    names = dict.fromkeys(name for facts in facts_of.values() for name in facts)
    rows = {name: {letter: facts.get(name) for letter, facts in facts_of.items()} for name in names}
    return {name: row for name, row in rows.items() if len({repr(value) for value in row.values()}) > 1}


def _told(result: StressResult) -> dict[str, Any]:
    """What distinguishes the runs for a reader."""
    settings = {
        name: value
        for name, value in result.config.items()
        if name not in ("out", "jobs", "fail_on", "no_cache", "watch", "verbose")
    }
    generator = {
        f"generator {name}": value
        for name, value in result.generator.items()
        if name not in settings and name != "name"
    }
    data = result.data.model_dump(include={"source", "start", "end", "digest"})
    return settings | {"origin": str(result.origin)} | data | generator | _code_of(result) | _platform_of(result)


def _code_of(result: StressResult) -> dict[str, Any]:
    """The hash of each strategy's file and of every local module that it imports."""
    hashes: dict[str, Any] = {}
    for one in result.strategies:
        source = dict(one.source or {})
        modules = source.get("modules") or {source.get("path") or "code": source.get("sha256")}
        hashes |= {f"{one.name}: {name}": digest for name, digest in modules.items()}
    return hashes


def _platform_of(result: StressResult) -> dict[str, Any]:
    """Versions, stresslab's own code, and the machine."""
    about = result.environment
    versions = {f"version of {name}": version for name, version in (about.get("versions") or {}).items()}
    return versions | {
        name: about.get(key)
        for name, key in (
            ("stresslab's code", "code"),
            ("python", "python"),
            ("machine", "machine"),
            ("processor", "processor"),
        )
    }
