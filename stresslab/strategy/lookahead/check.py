"""The look-ahead check: a decision counts only if it can be made from the bars that were there at its close.

Bars after a cut are taken away, or others are put in their place, and the strategy decides again; what it decided up
to the cut must stay. Which bars a strategy sees and what it may answer is laid down in `strategy`; what a leak
probably comes from is named by `causes`.
"""

from __future__ import annotations

import inspect
import math
import re
import time
import warnings
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.core.errors import StrategyError
from stresslab.core.randomness import Stream, numpy_generator
from stresslab.data.bars import CLOSE, Bars
from stresslab.data.universes import universes_after
from stresslab.strategy import Strategy
from stresslab.strategy.lookahead.causes import likely_cause
from stresslab.strategy.lookahead.perturbations import calms, continuations, mirrored, opposites, other_futures
from stresslab.strategy.lookahead.probe import DecisionProbe, column, first_difference, stamp, where
from stresslab.strategy.panel import Decisions
from stresslab.strategy.strategy import owner

ROWS = 2500
"""Latest bars that are looked at: ten years of days."""
CUTS = 32
EVERY_BAR_SECONDS = 10.0
"""The search behind every bar may take so long; where it would take longer, it looks behind a part of them."""
SIDE_BY_SIDE, ONE_BY_ONE = 64, 8
"""Bars that are looked behind in one call, and in so many where each is a call of its own."""
SHOWN = 5
"""Findings after which the search stops."""
WARMUP_ALLOWANCE = 250
"""Code may raise or stay silent while it has fewer bars than this, or than half of all: it is not warm yet."""
SEAM = 20
"""Bars of a universe that are put after the last real bar."""


@dataclass(frozen=True)
class LookAheadReport:
    """What the check found and what it covered.

    Attributes:
        found: one line per finding: the bar, the evidence and, in the first, the likely cause; empty if none.
        inconclusive: nothing was found, but no decision fired in the part that could be compared.
        bars: bars looked at, the latest ones.
        cuts: places where the later bars were taken away; 0 for `on_bar`, which is handed one bar at a time.
        decisions: rows where the decision differed from the row before.
        futures: other futures that were put in the place of the later bars.
        seam: whether universes that follow the last bar were compared.
        checked: share of those decisions right behind which later bars were taken away or replaced.
        chance: where it decided differently on the very same bars, called the first time; then nothing was compared.
    """

    found: list[str] = field(default_factory=list)
    inconclusive: bool = False
    bars: int = 0
    cuts: int = 0
    decisions: int = 0
    futures: int = 0
    seam: bool = False
    checked: float = 0.0
    chance: str = ""

    @property
    def covered(self) -> str:
        """What the answer rests on, as a clause."""
        if self.chance:
            return f"it decides by chance: {self.chance} is another one each time on the very same bars"
        if not self.decisions:
            return f"no decision fired in {self.bars:,} bars"
        basis = f"{self.decisions:,} decisions in {self.bars:,} bars"
        if self.inconclusive:
            return f"{basis}, but no shorter stretch that holds one could be compared"
        ways = [
            f"taken away at {self.cuts} cuts" if self.cuts else "",
            f"replaced by {self.futures} other futures" if self.futures else "",
            "and put after the last bar" if self.seam else "",
        ]
        if self.cuts or self.futures:
            basis += f", {self.checked:.0%} of them checked right behind their bar"
        changed = ", ".join(way for way in ways if way)
        return f"{basis}; later bars {changed}" if changed else f"{basis}, made one bar at a time"

    def __str__(self) -> str:
        """One line: the finding, or what its absence rests on."""
        if self.found:
            more = f" (and {len(self.found) - 1} more)" if len(self.found) > 1 else ""
            return f"looks ahead: {self.found[0]}{more}"
        if self.inconclusive:
            remedy = "seed random numbers inside the function" if self.chance else "give more bars or other parameters"
            return f"inconclusive: {self.covered}; {remedy}"
        return f"does not look ahead ({self.covered})"

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON, with the text of what it covered."""
        return {**asdict(self), "covered": self.covered}


@dataclass(frozen=True)
class _Finding:
    """One decision that changed: its row and name, the rows that stayed, and by what it changed."""

    row: int
    name: str
    cut: int
    evidence: str


def find_lookahead(
    strategy: Strategy,
    bars: Bars,
    *,
    cuts: int = CUTS,
    rows: int = ROWS,
    seed: int = 0,
    patience: float = EVERY_BAR_SECONDS,
) -> LookAheadReport:
    """Whether decisions depend on later bars, by deciding again without those and with others in their place.

    Covers the latest `rows` bars. Half of the cuts come right after a bar where the decision changes, each signal in
    turn with its first and its last change, so that a rare one has its share; the others come after the largest moves,
    as such and against the moves before, and at random bars, one in each of equal stretches. At each cut the later bars
    are taken away; replaced by their opposite, three times as large; and replaced by calm ones drawn from the whole
    sample. The opposite of what followed, and next to nothing, is then put behind every single bar as well, which finds
    leaks that touch few decisions; where the code is slow, behind a half, a quarter and so on of all bars, those first
    where the decision changes. At the seam, universes are put after the last bar.
    All decisions before the cut are compared, so a leak of one bar (`shift(-1)`) shows as well as one of the whole
    sample (`close / close.max()`). Every draw is seeded: the same bars and seed give the same report.

    Seeded random numbers of which there are as many as bars change when bars are taken away, which is no leak: of code
    that draws and changes in no other way, only bars that were replaced count.

    Rounding is no finding: a difference counts when it is larger than 1e-9 and larger than ten times what a change of
    each bar's prices by 1e-12 makes of the same decision; a comparison of two equal figures is thus left out.
    Code may raise or stay silent on fewer than 250 bars. `on_bar` is handed one bar at a time and cannot look ahead.

    A leak that changes no decision at any cut stays unseen, and so does what the author knew: dates, levels or files
    made from these very bars.

    Chance without a seed is neither: nothing can be compared then, and the report says so.

    More findings void a stress test in the same way: a decision in one universe that changes when another universe
    stands beside it, and one that cannot be made at its close, because the code raises without the later bars.

    Args:
        strategy: decides once on all bars, once for each cut and on all other futures at once.
        bars: real bars.
        cuts: places to compare, at most.
        rows: latest bars, at most.
        seed: of everything that is drawn.
        patience: seconds that the search behind every bar may take.

    Raises:
        StrategyError: the code raises, answers with no decision, or decides differently on the very same bars.
    """
    bars = strategy.sees(bars)
    bars = bars[max(0, len(bars) - rows) :]
    case = DecisionProbe.of(replace(strategy, excused=None), bars, seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the code on short histories; what it warns of on all bars was shown
        return _searched(case, cuts, patience)


def _searched(case: DecisionProbe, cuts: int, patience: float) -> LookAheadReport:
    """The report on a strategy that has decided on all bars."""
    strategy, bars, changes = case.strategy, case.bars, _changes(case.full)
    chance = _check_memory(case)
    if chance:
        return LookAheadReport(inconclusive=True, bars=len(bars), decisions=len(changes), chance=chance)
    found = case.beside_another()
    if strategy.kind == "on_bar":
        return LookAheadReport(found, not found and not len(changes), len(bars), 0, len(changes))
    places = _places(case.full, bars, cuts, case.seed)
    compared, findings = _taken_away(case, places, SHOWN - len(found))
    futures, others = _replaced(case, places) if not found else (0, [])
    by_number = bool(findings and futures and not others and _draws(strategy))  # seeded numbers change with the length
    if by_number:
        compared, findings = [], []
    behind, others = ([], others) if found or findings or others else _behind_every_bar(case, changes, patience)
    seam, beyond = (False, []) if found or findings or others or by_number else _seam(case)
    findings = list(dict.fromkeys(findings or others or beyond))[: SHOWN - len(found)]
    lines = [_line(case, one) for one in findings]
    if lines and (futures or beyond):
        reach = max((one.cut - one.row for one in others or beyond), default=None)
        lines[0] += f"; {likely_cause(reach, strategy.path)}"
    reached = max([*compared, *(places[-1:] if futures else []), *([len(bars)] if seam else [])], default=0)
    silent = not found and not lines and (not len(changes) or reached <= int(changes[0]))
    looked = np.isin(changes + 1, [*compared, *(places if futures else []), *behind])
    share = float(looked.mean()) if len(changes) else 0.0
    futures += 2 * len(behind)
    return LookAheadReport(found + lines, silent, len(bars), len(compared), len(changes), futures, seam, share)


def _check_memory(case: DecisionProbe) -> str:
    """Where a strategy decides by chance; a strategy that remembers earlier calls is refused."""
    strategy, others = case.strategy, mirrored(case.values)[None]
    after, difference = column(case.decide(others), 0), None
    if strategy.path is not None:
        difference = first_difference(column(replace(case, strategy=strategy.twin()).decide(others), 0), after)
    again = strategy.decide(case.panel, allow_silence=True)
    difference = difference or first_difference(column(case.full, 0), column(again, 0))
    if not difference:
        return ""
    first, second = (column(strategy.twin().decide(case.panel, allow_silence=True), 0) for _ in range(2))
    chance = first_difference(first, second)
    if chance:
        return where(case, *chance)
    raise StrategyError(
        f"strategy {strategy.name!r} decides differently on the very same bars ({where(case, *difference)}); a "
        "run could not be repeated: seed random numbers inside the function and keep nothing between calls"
    )


def _taken_away(case: DecisionProbe, places: list[int], most: int) -> tuple[list[int], list[_Finding]]:
    """The places that could be compared, and what differs when only so many rows have happened."""
    compared, findings = [], list[_Finding]()
    fired = _changes(case.full)
    warm = min(WARMUP_ALLOWANCE, case.panel.rows // 2)
    for cut in places:
        if len(findings) >= most:
            break
        try:
            known = case.strategy.decide(case.panel.until(cut), allow_silence=True)
        except StrategyError as error:
            if cut >= warm and (fired < cut).any():
                reason = f"{type(error.__cause__).__name__}: {error.__cause__}" if error.__cause__ else str(error)
                compared.append(cut)
                findings.append(_Finding(cut - 1, "", cut, reason))
            continue
        if cut < warm and not len(_changes(known)):
            continue
        compared.append(cut)
        difference = case.difference(column(case.full, 0), column(known, 0))
        if difference:
            findings.append(_Finding(*difference, cut, "it changes when they are taken away"))
    return compared, findings


def _replaced(case: DecisionProbe, places: list[int]) -> tuple[int, list[_Finding]]:
    """How many other futures could be compared, and what differs when they follow the cuts."""
    futures = list(other_futures(case.values, places, case.seed))
    try:
        decisions = case.decide(np.stack([case.values, *futures]))
    except StrategyError:
        return 0, []
    findings = []
    real = column(decisions, 0)
    for at in range(len(futures)):
        cut = places[at // 2]
        known = {name: array[:cut] for name, array in column(decisions, at + 1).items()}
        difference = case.difference(real, known)
        if difference:
            findings.append(_Finding(*difference, cut, "it changes when others take their place"))
    return len(futures), findings


def _behind_every_bar(
    case: DecisionProbe, changes: NDArray[np.intp], patience: float
) -> tuple[list[int], list[_Finding]]:
    """The cuts behind which the opposite of what followed, and a calm, were put, at every bar if time allows.

    Beside them, what differs.

    How many there are is a half, a quarter and so on of all, so that it seldom depends on how fast the machine is.
    """
    order = _by_weight(case.panel.rows, changes)
    size = ONE_BY_ONE if case.strategy.one_by_one else SIDE_BY_SIDE
    compared: list[int] = []
    start, end = 0, len(order)
    while start < end:
        piece, began = order[start : start + size], _Clock()
        try:
            decisions = case.decide(np.concatenate([opposites(case.values, piece), calms(case.values, piece)]))
        except StrategyError:
            return compared, []
        finding = _first_difference(case, decisions, np.tile(piece, 2))
        if finding is not None:
            return compared, [finding]
        compared += piece.tolist()
        if start == 0:
            while began.seconds * end / len(piece) > patience and end > size:
                end //= 2
        start += size
    return compared, []


class _Clock:
    """Seconds since it was made: of this process, so that others beside it do not count, or of waiting, in part."""

    def __init__(self) -> None:
        self._own, self._all = time.process_time(), time.perf_counter()

    @property
    def seconds(self) -> float:
        """Of the processor; where it mostly waits, a quarter of all."""
        return max(time.process_time() - self._own, (time.perf_counter() - self._all) / 4)


def _by_weight(rows: int, changes: NDArray[np.intp]) -> NDArray[np.intp]:
    """Every number of rows to keep: those right after a change of decision first, each kind spread over all bars."""
    cuts = np.arange(1, rows)
    spread = np.modf(cuts * (math.sqrt(5) - 1) / 2)[0]  # whatever is left out is spread too
    return np.asarray(cuts[np.lexsort((spread, ~np.isin(cuts - 1, changes)))])


def _first_difference(case: DecisionProbe, decisions: Decisions, cuts: NDArray[np.intp]) -> _Finding | None:
    """What differs before its cut in one of several series, which are others from their cuts on."""
    real = column(case.full, 0)
    for at, cut in enumerate(cuts.tolist()):
        known = {name: array[:cut] for name, array in column(decisions, at).items()}
        if not all(np.array_equal(real[name][:cut], array, equal_nan=True) for name, array in known.items()):
            difference = case.difference(real, known)
            if difference:
                return _Finding(*difference, cut, "it changes when others take their place")
    return None


_RANDOM = re.compile(r"default_rng|RandomState|np\.random|random\.(seed|Random)\b")


def _draws(strategy: Strategy) -> bool:
    """Whether a strategy's source draws random numbers; unknown source does not."""
    try:
        if strategy.path is not None:
            return _RANDOM.search(Path(strategy.path).read_text(encoding="utf-8", errors="replace")) is not None
        return _RANDOM.search(inspect.getsource(owner(strategy._function))) is not None
    except (OSError, TypeError):
        return False


def _seam(case: DecisionProbe) -> tuple[bool, list[_Finding]]:
    """Whether the seam could be compared, and what differs in the history when universes follow it."""
    bars, values = case.bars, continuations(case.values, SEAM, case.seed)
    stamps = bars.calendar.future(bars.timestamps, SEAM)
    universes = universes_after(bars, values, stamps, np.arange(len(values), dtype=np.int64))
    try:
        decisions = case.strategy.decide(case.strategy.panel(universes, len(bars)), allow_silence=True)
    except StrategyError:
        return False, []
    findings = []
    for at in range(len(values)):
        known = {name: array[: len(bars)] for name, array in column(decisions, at).items()}
        difference = case.difference(column(case.full, 0), known)
        if difference:
            findings.append(_Finding(*difference, len(bars), "it changes when a universe follows the history"))
    return True, findings


def _places(decisions: Decisions, bars: Bars, count: int, seed: int) -> list[int]:
    """Numbers of rows to keep, ascending: right after changes of decision, after the largest moves, and at random."""
    sides = [rows for rows in _changes_by_side(decisions) if len(rows)]
    each = max(1, (count + 1) // 2 // max(1, len(sides)))
    chosen = {int(row) + 1 for rows in sides for row in rows[np.linspace(0, len(rows) - 1, each).astype(int)]}
    move = pd.Series(np.log(bars.values[:, CLOSE])).diff().abs().fillna(0.0)
    for size in (move, (move / move.ewm(span=20).mean().shift(1)).fillna(0.0)):
        chosen |= {int(row) + 1 for row in np.argsort(-size.to_numpy(), kind="stable")[: count // 8]}
    edges = np.linspace(1, max(len(bars), 2), max(count - len(chosen), 0) + 1)
    chosen |= {int(cut) for cut in numpy_generator(seed, Stream.LOOKAHEAD_CUTS).uniform(edges[:-1], edges[1:])}
    return sorted(cut for cut in chosen if 0 < cut < len(bars))[:count]


def _changes(decisions: Decisions) -> NDArray[np.intp]:
    """Rows whose decision is another than the row before had, beginning from none, in the first universe."""
    return np.unique(np.concatenate(_changes_by_side(decisions)))


def _changes_by_side(decisions: Decisions) -> list[NDArray[np.intp]]:
    """Such rows of each signal, or of the weights."""
    first = range(decisions.width)
    if decisions.weights is not None:
        held = [pd.Series(decisions.weights[:, at]).ffill().fillna(0.0).to_numpy() for at in first]  # (T,) each
        return [np.flatnonzero(np.diff(one, prepend=0.0) != 0) for one in held]
    fired = [array[:, at].astype(np.int8) for array in decisions.arrays().values() for at in first]  # (T,) each
    return [np.flatnonzero(np.diff(side, prepend=0) != 0) for side in fired]


def _line(case: DecisionProbe, finding: _Finding) -> str:
    """A finding about later bars as a line."""
    end = stamp(case.bars.timestamps, finding.cut - 1)
    if not finding.name:
        return f"at {end} it cannot decide without the bars after it ({finding.evidence})"
    return f"{where(case, finding.row, finding.name)} depends on bars after {end}: {finding.evidence}"
