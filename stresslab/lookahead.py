"""The look-ahead check: a decision counts only if it can be made from the bars that were there at its close.

Every bar after a cut is taken away and the strategy decides again; what it decided up to the cut must stay. Which
bars a strategy sees and what it may answer is laid down in `strategy`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.data.bars import FIELDS, Bars
from stresslab.errors import StrategyError
from stresslab.panel import Decisions, Panel
from stresslab.strategy import Strategy
from stresslab.universes import REAL, Universes

ROWS = 2500
"""Latest bars that are looked at: ten years of days."""
CUTS = 32
SHOWN = 5
"""Findings after which the search stops."""
EXCUSED = 250
"""Code may raise while it has fewer bars than this, or than half of all: it need not decide before it is warm."""
_PRICES = tuple(FIELDS.index(name) for name in ("open", "high", "low", "close"))
_ALOUD = {
    "long_entries": "the entry",
    "long_exits": "the exit",
    "short_entries": "the short entry",
    "short_exits": "the short exit",
    "weights": "the weight",
}


@dataclass(frozen=True)
class LookAheadReport:
    """What the check found and what it covered.

    Attributes:
        found: one line per finding with its time stamp; empty when none was found.
        inconclusive: nothing was found, but no decision fired or no cut could be compared.
        bars: bars looked at, the latest ones.
        cuts: truncated panels compared; 0 for `on_bar`, which is handed one bar at a time.
        decisions: rows where the decision differed from the row before.
    """

    found: list[str] = field(default_factory=list)
    inconclusive: bool = False
    bars: int = 0
    cuts: int = 0
    decisions: int = 0

    def __str__(self) -> str:
        """One line: the finding, or what its absence rests on."""
        if self.found:
            more = f" (and {len(self.found) - 1} more)" if len(self.found) > 1 else ""
            return f"looks ahead: {self.found[0]}{more}"
        if self.inconclusive:
            why = "no decision fired" if not self.decisions else "no shorter stretch could be compared"
            return f"inconclusive: {why} in {self.bars:,} bars; give more bars or other parameters"
        how = f"compared at {self.cuts} cuts" if self.cuts else "made one bar at a time"
        return f"does not look ahead (decisions in {self.bars:,} bars: {self.decisions:,}, {how})"

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON."""
        return asdict(self)


def find_lookahead(strategy: Strategy, bars: Bars, *, cuts: int = CUTS, rows: int = ROWS) -> LookAheadReport:
    """Whether decisions depend on later bars, by deciding again without those.

    Covers the latest `rows` bars. Two thirds of the cuts come right after a bar where the decision changes, the first
    and the last of these included; the others are spread evenly. After a cut, all decisions before it are compared, so
    a leak of one bar (`shift(-1)`) shows as well as one of the whole sample (`close / close.max()`); weights may
    differ by rounding (1e-9). A leak that changes no decision at any cut stays unseen. `on_bar` cannot look ahead,
    since it is handed one bar at a time.

    Two more findings void a stress test in the same way: a decision in one universe that changes when another universe
    stands beside it, and one that cannot be made at its close, because the code raises without the later bars.

    Args:
        strategy: decides once on all bars and once for each cut.
        bars: real bars.
        cuts: truncated panels, at most.
        rows: latest bars, at most.

    Raises:
        StrategyError: the code raises, answers with no decision, or decides differently on the very same bars.
    """
    bars = bars[max(0, len(bars) - rows) :]
    panel = Panel.of(Universes.from_bars(bars, bars[:0]), 0)
    full = strategy.decide(panel, allow_silence=strategy.kind == "on_bar")
    changes = _changes(full)
    again = _first_difference(full, strategy.decide(panel, allow_silence=True), bars.timestamps)
    if again:
        raise StrategyError(
            f"strategy {strategy.name!r} decides differently on the very same bars ({again}); a run could not be "
            "repeated: seed random numbers inside the function and keep nothing between calls"
        )
    found = _beside_another(strategy, bars, full)
    if strategy.kind == "on_bar":
        return LookAheadReport(found, not found and not len(changes), len(bars), 0, len(changes))
    compared = 0
    for cut in _cuts(changes, len(bars), cuts):
        if len(found) >= SHOWN:
            break
        finding, comparable = _at_cut(strategy, panel, full, cut)
        compared += comparable
        if finding and finding not in found:
            found.append(finding)
    silent = not found and (not len(changes) or not compared)
    return LookAheadReport(found, silent, len(bars), compared, len(changes))


def _at_cut(strategy: Strategy, panel: Panel, full: Decisions, cut: int) -> tuple[str, bool]:
    """What differs when only `cut` rows have happened, and whether the cut could be compared."""
    end = _stamp(panel.timestamps, cut - 1)
    try:
        known = strategy.decide(panel.until(cut), allow_silence=True)
    except StrategyError as error:
        if cut < min(EXCUSED, panel.rows // 2) or not (_changes(full) < cut).any():
            return "", False
        reason = f"{type(error.__cause__).__name__}: {error.__cause__}" if error.__cause__ else str(error)
        return f"at {end} it cannot decide without the bars after it ({reason})", True
    difference = _first_difference(full, known, panel.timestamps)
    return difference and f"{difference} depends on bars after {end}", True


def _beside_another(strategy: Strategy, bars: Bars, full: Decisions) -> list[str]:
    """Whether decisions change when a second universe, the first one's mirror image, stands beside it."""
    mirrored = bars.values.copy()  # (T, F)
    mirrored[:, _PRICES] = bars.values[0, _PRICES[0]] ** 2 / bars.values[:, [_PRICES[at] for at in (0, 2, 1, 3)]]
    values, ids = np.stack([bars.values, mirrored]), np.array([REAL, 0], dtype=np.int64)
    both = strategy.decide(Panel.of(Universes(values, bars.timestamps, bars[:0], ids), 0), allow_silence=True)
    difference = _first_difference(full, both, bars.timestamps)
    return [f"{difference} depends on the other universes"] if difference else []


def _cuts(changes: NDArray[np.intp], rows: int, count: int) -> list[int]:
    """Numbers of rows to keep, ascending: right after changes of decision, and spread evenly."""
    at_changes = (
        changes[np.unique(np.linspace(0, len(changes) - 1, 2 * count // 3).astype(int))] if len(changes) else []
    )
    spread = np.linspace(1, rows - 1, count - len(at_changes)).astype(int)
    chosen = {int(row) + 1 for row in at_changes} | {int(row) for row in spread}
    return sorted(cut for cut in chosen if 0 < cut < rows)


def _changes(decisions: Decisions) -> NDArray[np.intp]:
    """Rows whose decision is another than the row before had, beginning from none, in the first universe."""
    if decisions.weights is not None:
        held = pd.Series(decisions.weights[:, 0]).ffill().fillna(0.0).to_numpy()  # (T,)
        return np.flatnonzero(np.diff(held, prepend=0.0) != 0)
    fired = np.column_stack([array[:, 0] for array in decisions.arrays().values()]).astype(np.int8)  # (T, sides)
    return np.flatnonzero((np.diff(fired, axis=0, prepend=0) != 0).any(axis=1))


def _first_difference(full: Decisions, other: Decisions, timestamps: pd.DatetimeIndex) -> str:
    """The first decision of `full` that `other`, which may have fewer rows, does not repeat; empty if none."""
    mine, theirs = full.arrays(), other.arrays()
    if mine.keys() != theirs.keys():
        return "whether it answers with signals or weights"
    rows = len(next(iter(theirs.values())))
    first = {name: _differing(array[:rows, 0], theirs[name][:, 0]) for name, array in mine.items()}
    named = min(first, key=lambda name: first[name])
    return f"at {_stamp(timestamps, first[named])} {_ALOUD[named]}" if first[named] < rows else ""


def _differing(first: NDArray[Any], second: NDArray[Any]) -> int:
    """Row of the first difference beyond rounding, or the number of rows."""
    same = np.isclose(first, second, rtol=1e-9, atol=1e-12, equal_nan=True)
    return len(same) if same.all() else int(same.argmin())


def _stamp(timestamps: pd.DatetimeIndex, row: int) -> str:
    """A row's date, with the time of day where bars have one."""
    return str(timestamps[row].date() if (timestamps == timestamps.normalize()).all() else timestamps[row])
