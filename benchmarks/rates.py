"""Counts of a benchmark's cases with intervals, kept in a file from which an interrupted benchmark goes on."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from stresslab.metrics.distribution import Interval, wilson

PIECE = 10
"""Repetitions that are stored together."""


@dataclass
class Rates:
    """Counts of one case."""

    case: str
    must: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    of: int = 0
    told: str = ""
    values: dict[str, list[float]] = field(default_factory=dict)

    def add(self, **found: bool) -> None:
        """One more test."""
        self.of += 1
        for name, yes in found.items():
            self.counts[name] = self.counts.get(name, 0) + int(yes)

    def measure(self, **found: float) -> None:
        """Numbers of one more test, of which mean and mean size are shown."""
        self.of += 1
        for name, value in found.items():
            self.values.setdefault(name, []).append(round(float(value), 5))

    def rate(self, name: str) -> Interval:
        """A share with Wilson's interval."""
        return wilson(self.counts.get(name, 0), self.of)

    def merge(self, other: Rates) -> None:
        """The tests of another part of the same case."""
        self.of += other.of
        for name, count in other.counts.items():
            self.counts[name] = self.counts.get(name, 0) + count
        for name, values in other.values.items():
            self.values.setdefault(name, []).extend(values)

    def row(self, names: Sequence[str]) -> str:
        """A line of a Markdown table."""
        cells = [
            show(self.rate(name)) if name in self.counts else spread(self.values[name]) if name in self.values else ""
            for name in names
        ]
        return f"| {' | '.join([self.case + self.told, f'{self.of:,}', *cells, self.must])} |"

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON, with the rates for people."""
        rates = {name: self.rate(name).to_dict() for name in self.counts}
        return vars(self) | {"counts": dict(self.counts), "rates": rates}

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Rates:
        """The rates that `to_dict` wrote."""
        values = {name: list(found) for name, found in stored["values"].items()}  # merged, while what is stored stays
        return cls(stored["case"], stored["must"], dict(stored["counts"]), stored["of"], stored["told"], values)


class Store:
    """Parts of the benchmark that are finished, in a file where one is given.

    Attributes:
        path: of the file; None keeps nothing.
        identity: what decides the rates; parts of another identity are not used.
    """

    def __init__(self, path: Path | None = None, identity: str = "") -> None:
        self.path, self.identity, self.parts = path, identity, dict[str, list[dict[str, Any]]]()
        if path is not None and path.exists():
            stored = json.loads(path.read_text(encoding="utf-8"))
            if stored["identity"] == identity:
                self.parts = stored["parts"]
            else:
                sys.stderr.write(f"{path} is of other code, data or settings: begun again\n")

    def rates(self, part: str, make: Callable[[], list[Rates]]) -> list[Rates]:
        """The rates of a part, which is made where it is not stored."""
        if part not in self.parts:
            self.parts[part] = [one.to_dict() for one in make()]
            if self.path is not None:
                content = {"identity": self.identity, "parts": self.parts}
                aside = self.path.with_suffix(".partial")
                aside.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
                aside.replace(self.path)
        return [Rates.from_dict(one) for one in self.parts[part]]

    def pieces(
        self, part: str, count: int, make: Callable[[Sequence[int]], list[Rates]], size: int = PIECE
    ) -> list[Rates]:
        """The rates of repetitions 0 to count - 1, in pieces that are stored one by one."""
        whole: dict[str, Rates] = {}
        for start in range(0, count, size):
            numbers = range(start, min(start + size, count))
            for one in self.rates(f"{part} {numbers.start}-{numbers.stop}", partial(make, numbers)):
                if one.case in whole:
                    whole[one.case].merge(one)
                else:
                    whole[one.case] = one
        return list(whole.values())


def show(share: Interval) -> str:
    """12.3% [10.1, 14.6]."""
    return f"{100 * share.value:.1f}% [{100 * share.low:.1f}, {100 * share.high:.1f}]"


def spread(values: Sequence[float]) -> str:
    """Mean with its 95% interval, and the mean size with its own; a dash where there are none."""
    if not values:
        return "–"
    (mean, half), (size, wide) = (_mean(one) for one in (np.asarray(values), np.abs(values)))
    return (
        f"{mean:+.3f} [{mean - half:+.3f}, {mean + half:+.3f}], size {size:.3f} [{size - wide:.3f}, {size + wide:.3f}]"
    )


def _mean(values: np.ndarray) -> tuple[float, float]:
    """A mean and half of its 95% interval."""
    return float(np.mean(values)), 1.96 * float(np.std(values)) / len(values) ** 0.5
