"""Shocks after which a market goes on: what is put into universes, and what a strategy comes to there.

The account meets a shock with the position that it then has, and indicators see it. Bars are counted from 1 where
people write and read them, from 0 elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from stresslab.analysis.case import Case, figures
from stresslab.analysis.crises import find_crisis
from stresslab.analysis.shocks import DelayedOrders, closed_from
from stresslab.core.arrays import FloatArray
from stresslab.core.errors import InputError
from stresslab.core.plain_json import plain
from stresslab.core.text import did_you_mean
from stresslab.data.universes import Universes
from stresslab.generators.base import Continuing, Generator
from stresslab.generators.inserted_bars import crisis_bars, gap_bar, halted_bars, wilder_bars
from stresslab.metrics.distribution import wilson
from stresslab.metrics.recovery import median_recovery, recovery_bars

KINDS = ("gap", "volatility", "bars", "halt")
STRETCH = 20
"""Bars of higher volatility where no end is given."""
FORM = "write gap=-8%@10, volatility=2@20..40, bars=crash_2020_03@15 or halt=3@11"

Make = Callable[[Universes], FloatArray]


@dataclass(frozen=True)
class ContinuedShock:
    """One shock.

    Attributes:
        name: as it was asked for.
        label: what people read.
        kind: "shock", or "crisis" for one of the library.
        first: position of its first bar, from 0.
        bars: how many.
        make: the bars to put into universes, (N, L, F).
        closed: bars from the first on in which no order is filled.
    """

    name: str
    label: str
    kind: str
    first: int
    bars: int
    make: Make
    closed: int = 0

    @property
    def last(self) -> int:
        """Position of its last bar."""
        return self.first + self.bars - 1

    def within(self, horizon: int) -> ContinuedShock:
        """The shock itself.

        Raises:
            InputError: it begins or ends after the horizon.
        """
        if self.first + self.bars > horizon:
            last = f" and ends at bar {self.last + 1}" if self.bars > 1 else ""
            raise InputError(
                f"shock={self.name!r} begins at bar {self.first + 1}{last}, after the horizon of {horizon} bars; "
                "begin it earlier, or give a longer `horizon`"
            )
        return self


def parse_shock(text: str) -> ContinuedShock:
    """The shock that a text such as gap=-8%@10 asks for.

    Raises:
        InputError: it is of another form, or asks for what no market does.
    """
    found = re.fullmatch(r"\s*([a-z_]+)\s*=\s*(.+?)\s*@\s*(\d{1,6})(?:\.\.(\d{1,6}))?\s*", text)
    if found is None:
        raise InputError(f"shock={text!r:.80} is not a shock; {FORM}")
    kind, value, first, last = found[1], found[2], int(found[3]) - 1, found[4]
    if kind not in KINDS:
        raise InputError(f"shock={text!r:.80} is not a shock{did_you_mean(kind, KINDS, FORM)}")
    if first < 0 or (last is not None and (kind != "volatility" or int(last) <= first)):
        raise InputError(f"shock={text!r:.80}: bars count from 1, and only volatility has a last one; {FORM}")
    if kind == "bars":
        return crisis_shock(value, first, text)
    number = _number(value, text)
    if kind == "gap":
        if not -1 < number < 100:
            raise InputError(f"shock={text!r:.80} leaves no price above 0; give a gap of more than -100%, such as -8%")
        return ContinuedShock(
            text, f"a gap of {100 * number:+.4g}% at bar {first + 1}", "shock", first, 1,
            partial(gap_bar, at=first, size=number),
        )  # fmt: skip
    if kind == "halt":
        if number != int(number) or not 1 <= number <= 100_000:
            raise InputError(f"shock={text!r:.80}: a halt lasts a whole number of bars; write for example halt=3@11")
        return _halt(text, first, int(number))
    if not 0 < number < 100:
        raise InputError(f"shock={text!r:.80}: volatility is multiplied by more than 0; write for example 2")
    count = STRETCH if last is None else int(last) - first
    label = f"volatility x {number:g} in bars {first + 1} to {first + count}"
    make = partial(wilder_bars, at=first, count=count, factor=number)
    return ContinuedShock(text, label, "shock", first, count, make)


def _number(value: str, text: str) -> float:
    try:
        return float(value.removesuffix("%")) / (100 if value.endswith("%") else 1)
    except ValueError:
        raise InputError(f"shock={text!r:.80}: {value!r:.40} is not a number; {FORM}") from None


def _halt(text: str, first: int, count: int) -> ContinuedShock:
    label = f"no trading in {'bar' if count == 1 else f'{count} bars from bar'} {first + 1}, then a gap"
    return ContinuedShock(
        text, label, "shock", first, count + 1, partial(halted_bars, at=first, count=count), closed=count
    )


def crisis_shock(name: str, first: int, text: str | None = None, horizon: int | None = None) -> ContinuedShock:
    """A crisis of the library from a bar on.

    Args:
        name: of the crisis.
        first: position of its first bar, from 0.
        text: as it was asked for; the crisis' name when None.
        horizon: bars after which it is cut off; None cuts nothing.
    """
    crisis = find_crisis(name)
    measured, halt = crisis.measured(), crisis.halt
    whole = len(measured) + (halt + (not len(measured)) if halt else 0)
    count = whole if horizon is None else min(whole, horizon - first)
    kept = min(len(measured), count - halt)
    cut = f", its first {count} bars" if count < whole else ""
    label = f"{crisis.title} ({crisis.market}, {crisis.first:%Y-%m}){cut}"

    def make(universes: Universes) -> FloatArray:
        if not len(measured):
            return halted_bars(universes, first, halt)
        bars = crisis_bars(universes, first, measured.prices[:kept], measured.volumes[:kept])
        if not halt:
            return bars
        return np.concatenate([halted_bars(universes, first, halt)[:, :halt], bars], axis=1)

    closed = count if crisis.locked else halt
    return ContinuedShock(text or name, label, "crisis", first, count, make, closed)


def check_continuing(generator: Generator) -> Continuing:
    """The generator itself when it can go on after bars that are put into its universes.

    Raises:
        InputError: it cannot.
    """
    if not isinstance(generator, Continuing):
        raise InputError(
            f"generator={generator.name} cannot go on after bars that are put into its universes; use kronos, garch or "
            "bootstrap, or leave out `shock` and `scenarios`"
        )
    return generator


def shock_rows(
    cases: Sequence[Case],
    generator: Continuing,
    shocks: Sequence[ContinuedShock],
    progress: Callable[[int], None] | None = None,
) -> dict[str, list[dict[str, Any]]]:
    """What each strategy comes to where a shock was put into the universes and the generator went on.

    Args:
        cases: strategies with the run's universes.
        generator: the run's.
        shocks: each laid by itself.
        progress: called with the number of universes newly finished.

    Returns:
        By strategy, one row per shock.
    """
    first, rows = cases[0], {case.strategy.name: list[dict[str, Any]]() for case in cases}
    for shock in shocks:
        bars = shock.make(first.universes)
        shocked = generator.continued(
            first.universes, shock.first, bars, first.seed, jobs=first.jobs, progress=progress
        )
        for case in cases:
            rows[case.strategy.name].append(_row(case, shock, shocked))
    return rows


def _row(case: Case, shock: ContinuedShock, shocked: Universes) -> dict[str, Any]:
    other = case.elsewhere(shocked, compared=False)
    if shock.closed:
        closed = closed_from(np.full(len(shocked), shock.first), shock.closed, shocked.horizon)
        other = other.with_strategy(DelayedOrders.of(case.strategy, closed, shocked.ids))
    return {
        "kind": shock.kind, "name": shock.name, "label": shock.label, "first": shock.first + 1, "last": shock.last + 1,
        **figures(other.metrics, case.seed), "recovery": recovery(other, shock), "base_recovery": recovery(case, shock),
    }  # fmt: skip


def recovery(case: Case, shock: ContinuedShock) -> dict[str, Any]:
    """How many accounts are back at their value before a shock within the horizon, and after how many bars."""
    bars = recovery_bars(case.account.equity, shock.first, shock.last)
    return {
        "recovered": wilson(int(np.isfinite(bars).sum()), len(bars)).to_dict(),
        "median_bars": plain(median_recovery(bars)),
    }
