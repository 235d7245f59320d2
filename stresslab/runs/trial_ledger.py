"""The ledger beside the runs: how often the same bars were tested before, and how many variants of strategies on them.

One line of JSON for each run that was stored, only ever added to, so that a run that is deleted stays counted. What the
count does to a p-value or a Sharpe ratio is computed in `stresslab.metrics.multiple_testing`.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stresslab.analysis.case import Frozen
from stresslab.backtest import Terms
from stresslab.core.errors import InputError
from stresslab.core.plain_json import recorded
from stresslab.core.randomness import Stream, uniforms
from stresslab.core.safe_files import MAX_JSON, read_bounded
from stresslab.data.bars import CLOSE, Bars
from stresslab.strategy import Strategy

LEDGER = "ledger.jsonl"
MARKS = 128
"""Bars by which a series is known again."""
SHARED = 0.5
"""Two series are the same data where they share so much of the shorter one's time, and of the marks in it."""
RULES = ("sizing", "stop_loss", "take_profit", "trailing_stop", "max_leverage")
"""Terms that are chosen as a strategy's parameters are: another stop is another variant."""


@dataclass(frozen=True)
class Entry:
    """What one run tested on which bars.

    Attributes:
        symbol: of the bars, for people first.
        digest: of the bars.
        first: seconds since 1970 of the first bar that the run looked at.
        last: of the last one.
        marks: log returns of some bars, as text, by their seconds since 1970.
        variants: of each strategy its name, parameters, SHA-256 of its code and rules of execution.
        trials: how many independent strategies they amount to, at most as many as there are.
        frozen: when its strategies were frozen, as text; empty for a run.
    """

    symbol: str
    digest: str
    first: int
    last: int
    marks: Mapping[int, str]
    variants: tuple[Mapping[str, Any], ...]
    trials: float
    frozen: str = ""

    @classmethod
    def of(cls, bars: Bars, strategies: Sequence[Strategy], terms: Terms) -> Entry:
        """What a run tests, each strategy an independent trial.

        Args:
            bars: real bars that it looks at: those before the origin, and the horizon after it.
            strategies: each is a variant with these terms.
            terms: of the accounts.
        """
        rules = {name: value for name, value in terms.recorded().items() if name in RULES and value is not None}
        variants = tuple(
            {
                "name": one.name.partition("[")[0],
                "parameters": recorded(one.parameters),
                "sha256": one.digest,
                **({"rules": recorded(rules)} if rules else {}),
            }
            for one in strategies
        )
        first, last = (int(second) for second in _seconds(bars)[[0, -1]])
        return cls(bars.symbol, bars.digest, first, last, marks_of(bars), variants, float(len(variants)))

    @classmethod
    def from_line(cls, line: str) -> Entry | None:
        """The entry in a line of the file; None where it is none, torn off or somebody else's."""
        try:
            stored = json.loads(line)
            variants = tuple(dict(one) for one in stored["variants"])
            marks = {int(second): str(move) for second, move in stored["marks"].items()}
            first, last, trials = int(stored["first"]), int(stored["last"]), float(stored["trials"])
            texts, frozen = (str(stored["symbol"]), str(stored["digest"])), str(stored.get("frozen", ""))
        except (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError):
            return None
        seconds = (first, last, *marks)
        if max(seconds) >= 2**62 or min(seconds) <= -(2**62) or first > last or len(marks) > MARKS:
            return None
        if not variants or not 1 <= trials <= len(variants):
            return None
        return cls(*texts, first, last, marks, variants, trials, frozen)

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON."""
        left_out = ("variants", "marks") if self.frozen else ("variants", "marks", "frozen")
        about = {name: value for name, value in vars(self).items() if name not in left_out}
        marks = {str(second): move for second, move in self.marks.items()}
        return {**about, "variants": [dict(one) for one in self.variants], "marks": marks}

    @property
    def keys(self) -> list[str]:
        """What distinguishes each variant from all others."""
        texts = (json.dumps(dict(one), sort_keys=True) for one in self.variants)
        return [hashlib.sha256(text.encode()).hexdigest() for text in texts]


@dataclass(frozen=True)
class Earlier:
    """What was tested on the same bars before a run.

    Attributes:
        runs: stored ones.
        variants: distinct ones in them.
        trials: how many independent strategies these amount to; those of different runs count as unrelated.
        repeated: share of this run's own variants that are among them.
        unread: lines of the ledger that could not be read.
        elsewhere: trials of the same code on other markets and in bars of another length, whose best is chosen too.
        frozen: of this run's variants that were frozen, by position: seconds since 1970 of the last bar that had been
            seen then, and how often the bars after it were looked at before.
    """

    runs: int = 0
    variants: int = 0
    trials: float = 0.0
    repeated: float = 0.0
    unread: int = 0
    elsewhere: float = 0.0
    frozen: Mapping[int, tuple[int, int]] = field(default_factory=dict)

    def with_these(self, trials: float) -> float:
        """Independent trials on these bars, this run's included: those before and the share of its own that is new.

        Args:
            trials: how many independent ones this run's strategies amount to.
        """
        return max(trials, self.trials + trials * (1 - self.repeated)) + self.elsewhere

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON."""
        return vars(self) | {"frozen": {str(at): list(found) for at, found in self.frozen.items()}}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Earlier:
        """What `to_dict` wrote.

        Raises:
            ValueError: these are no counts.
        """
        counts = {name: type(value)(stored[name]) for name, value in vars(cls()).items() if name != "frozen"}
        frozen = {int(at): (int(last), int(looks)) for at, (last, looks) in dict(stored["frozen"]).items()}
        found = cls(**counts, frozen=frozen)
        if not all(math.isfinite(value) and value >= 0 for value in counts.values()) or found.repeated > 1:
            raise ValueError("the counts of the ledger are none")
        return found


def marks_of(bars: Bars) -> dict[int, str]:
    """The bars by which a series is known again: the first `MARKS` of those that moved, in an order of their own.

    The order depends on a time stamp alone, so that two series with a common stretch of time have the same marks in it
    (a bottom-k sketch; Cohen & Kaplan 2007), however many bars one of them has before or after. A mark is the log
    return to its close in three digits: prices that were rescaled for a split keep it.

    Args:
        bars: one real series.
    """
    logs, seconds = np.log(bars.values[:, CLOSE]), _seconds(bars)
    moves = np.diff(logs, prepend=logs[0])
    moved = np.flatnonzero(moves)
    chosen = np.sort(moved[np.argsort(_order(seconds[moved]), kind="stable")[:MARKS]])
    return {int(seconds[at]): f"{moves[at]:.3g}" for at in chosen}


def same_bars(one: Entry, other: Entry) -> bool:
    """Whether two runs looked at the same data, as far as selection is concerned.

    They did where at least half of the shorter one's time belongs to both, and at least half of the marks there agree;
    where no mark falls there, as one of them is so long or prices stand still, their symbols decide. So neither a few
    more bars nor another origin, horizon, file name or adjustment makes data new. Another market does; so do the same
    market in bars of another length, and a provider whose prices differ, which goes unnoticed.
    """
    if one.digest == other.digest:
        return True
    begin, end = max(one.first, other.first), min(one.last, other.last)
    if end <= begin or end - begin < SHARED * min(one.last - one.first, other.last - other.first):
        return False
    reach = min(_reach(one.marks), _reach(other.marks))
    mine, theirs = ({at: one[at] for at in _within(one, begin, end, reach)} for one in (one.marks, other.marks))
    if not mine and not theirs:
        return one.symbol == other.symbol
    agreed = sum(theirs.get(at) == move for at, move in mine.items())
    return agreed > 0 and agreed >= SHARED * max(len(mine), len(theirs))


def _seconds(bars: Bars) -> NDArray[np.int64]:
    return np.asarray(bars.timestamps.asi8 // 1_000_000_000, dtype=np.int64)


def _order(seconds: NDArray[np.int64]) -> NDArray[np.float64]:
    """A number in (0, 1) for each time stamp, the same in every series."""
    return uniforms(0, seconds % 2**32, 1, 1, stream=Stream.FINGERPRINT)[:, 0, 0]


def _reach(marks: Mapping[int, str]) -> float:
    """Up to where in their order all bars that moved are marks."""
    return 1.0 if len(marks) < MARKS else float(_order(np.array(list(marks))).max())


def _within(marks: Mapping[int, str], begin: int, end: int, reach: float) -> list[int]:
    """Marks after `begin`, whose first bar may have no return, up to `end` and within reach."""
    seconds = np.array([at for at in marks if begin < at <= end], dtype=np.int64)
    return [int(at) for at in seconds[_order(seconds) <= reach]]


def entries(folder: Path) -> tuple[list[Entry], int]:
    """The entries of a folder's ledger, and the number of lines that are none; nothing where there is no ledger.

    Raises:
        InputError: it is no regular file, too large, or cannot be read.
    """
    path = folder / LEDGER
    if not os.path.lexists(path):
        return [], 0
    text = read_bounded(path, MAX_JSON).decode("utf-8", "replace")
    found = [Entry.from_line(line) for line in text.split("\n") if line.strip()]
    known = [one for one in found if one is not None]
    return known, len(found) - len(known)


def runs_in(folder: Path) -> set[str]:
    """The names of the runs that a folder's ledger has lines of."""
    return set(manifests_in(folder))


def manifests_in(folder: Path) -> dict[str, str | None]:
    """The SHA-256 of the manifest of each run that a folder's ledger has a line of; None where the line has none."""
    if not os.path.lexists(folder / LEDGER):
        return {}
    named = dict[str, str | None]()
    for line in read_bounded(folder / LEDGER, MAX_JSON).decode("utf-8", "replace").split("\n"):
        try:
            entry = json.loads(line)
            named[str(entry["run"])] = entry.get("manifest")
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
            continue
    return named


def before(ledger: str | os.PathLike[str] | Earlier | None, entry: Entry) -> Earlier:
    """What was tested on the same bars before.

    Args:
        ledger: folder of the runs; what a ledger said, for a run that is done again; None reads none.
        entry: what is to be tested now.
    """
    if ledger is None or isinstance(ledger, Earlier):
        return ledger or Earlier()
    known, unread = entries(Path(ledger))
    ran = [one for one in known if not one.frozen]
    same = [one for one in ran if same_bars(one, entry)]
    seen, trials = set[str](), 0.0
    for one in same:
        fresh = set(one.keys) - seen
        trials += one.trials * len(fresh) / len(one.variants)
        seen |= fresh
    repeated = sum(key in seen for key in entry.keys) / len(entry.variants)
    others = [one for one in ran if one not in same]
    return Earlier(len(same), len(seen), trials, repeated, unread, _elsewhere(others, entry), _frozen(known, entry))


def _elsewhere(others: Sequence[Entry], entry: Entry) -> float:
    """Trials of this entry's code on other bars; what was tested again on the same other bars counts once."""
    codes = {one["sha256"] for one in entry.variants}
    markets: list[tuple[Entry, set[str]]] = []
    trials = 0.0
    for one in others:
        own = {key for key, variant in zip(one.keys, one.variants, strict=True) if variant.get("sha256") in codes}
        if not own:
            continue
        seen = next((seen for market, seen in markets if same_bars(market, one)), None)
        if seen is None:
            seen = set()
            markets.append((one, seen))
        trials += one.trials * len(own - seen) / len(one.variants)
        seen |= own
    return trials


def _frozen(known: Sequence[Entry], entry: Entry) -> dict[int, tuple[int, int]]:
    """Which of an entry's variants were frozen before: the last second seen then, and looks at later bars since.

    Bars count as seen where any run had looked at them before the strategy was frozen. The first freeze counts, since
    neither code nor parameters changed after it.
    """
    found = {}
    for at, key in enumerate(entry.keys):
        places = [n for n, one in enumerate(known) if one.frozen and key in one.keys and same_bars(one, entry)]
        if not places:
            continue
        place = places[0]
        seen = [one.last for one in known[:place] if not one.frozen and same_bars(one, entry)]
        last = max([known[place].last, *seen])
        later = (one for one in known[place:] if not one.frozen and key in one.keys and one.last > last)
        found[at] = last, sum(same_bars(one, entry) for one in later)
    return found


def fresh_bars(earlier: Earlier, position: int, bars: Bars) -> Frozen | None:
    """What followed since a variant was frozen; None where it was not, or nothing has followed that was not seen.

    Args:
        earlier: what the ledger says.
        position: of the variant among the run's.
        bars: real bars that the run looks at.
    """
    if position not in earlier.frozen:
        return None
    last, looks = earlier.frozen[position]
    seen = int((_seconds(bars) <= last).sum())
    return Frozen(bars, bars.timestamps[seen - 1], looks + 1) if 0 < seen < len(bars) else None


def add(folder: Path, entry: Mapping[str, Any]) -> None:
    """Add a line, by one write at the end, so that runs that are stored at once do not harm each other's.

    Args:
        folder: of the runs.
        entry: as from `Entry.to_dict`, with the run's id and the time.

    Raises:
        InputError: the ledger is no regular file, or cannot be written.
    """
    content = (json.dumps(dict(entry), ensure_ascii=False, allow_nan=False) + "\n").encode("utf-8", "replace")
    try:
        handle = _opened(folder)
        try:
            size = os.fstat(handle).st_size
            torn = size > 0 and _last_byte(handle, size) != b"\n"
            written = os.write(handle, b"\n" + content if torn else content)
        finally:
            os.close(handle)
    except OSError as error:
        raise _refused(folder, error.strerror or str(error)) from None
    if written < len(content) + torn:
        raise _refused(folder, "the disk is full")


def check_ledger(folder: Path) -> None:
    """Refuse, before any work is done, a ledger that is there and cannot be read or added to."""
    if not os.path.lexists(folder / LEDGER):
        return
    try:
        handle = _opened(folder)
        size = os.fstat(handle).st_size
        os.close(handle)
    except OSError as error:
        raise _refused(folder, error.strerror or str(error)) from None
    if size > MAX_JSON:
        raise _refused(folder, f"{size:,} bytes are more than the {MAX_JSON:,} that are read")


def _opened(folder: Path) -> int:
    """The file, to read and to add to; a link or what is no regular file is not followed."""
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    handle = os.open(folder / LEDGER, flags, 0o666)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError("no regular file")
    return handle


def _last_byte(handle: int, size: int) -> bytes:
    os.lseek(handle, size - 1, os.SEEK_SET)
    return os.read(handle, 1)


def _refused(folder: Path, reason: str) -> InputError:
    return InputError(
        f"{folder / LEDGER} cannot be used ({reason}); it counts the tests of the same bars: make it a file that "
        "can be written, or name another `out`"
    )
