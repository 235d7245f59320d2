"""The library of crises: what happened where and when, as bars in units of the volatility before them.

Facts stand in `crises.yaml` or in a file of the user's own; real bars are cut from the source that an entry names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from stresslab.core.arrays import FloatArray
from stresslab.core.errors import DataError, InputError
from stresslab.core.text import did_you_mean, one_line
from stresslab.data.bars import CLOSE, VOLUME, Bars
from stresslab.data.sources.load import load_bars
from stresslab.generators.inserted_bars import PRIOR_BARS

LIBRARY = Path(__file__).with_name("crises.yaml")
ALL = "all"


@dataclass(frozen=True, eq=False)
class CrisisShapes:
    """The bars of a crisis in units of what went before it.

    Attributes:
        prices: (L, 4) log of open, high, low and close over the close before, over the volatility before the crisis.
        volumes: (L,) over the mean volume before; 1 where it is not known.
    """

    prices: FloatArray
    volumes: FloatArray

    def __len__(self) -> int:
        """Bars L."""
        return len(self.prices)


class Crisis(BaseModel):
    """One entry of the library."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    market: str
    first: date
    last: date
    source: str
    bars: str | None = None
    """where real bars are"""
    returns: tuple[float, ...] | None = None
    """from close to close"""
    volatility: float | None = Field(default=None, gt=0)
    """of a bar before, for `returns`"""
    shapes: tuple[tuple[float, float, float, float], ...] | None = None
    halt: int = Field(default=0, ge=0)
    locked: bool = False

    @model_validator(mode="after")
    def _one_kind(self) -> Crisis:
        kinds = [kind for kind in ("bars", "returns", "shapes") if getattr(self, kind)]
        if len(kinds) > 1 or not (kinds or self.halt):
            raise ValueError("give one of bars, returns and shapes, or a halt alone")
        if self.returns is not None and self.volatility is None:
            raise ValueError("returns need the volatility of a bar before them")
        if any(one <= -1 for one in self.returns or ()):
            raise ValueError("a return of -1 or less leaves no price above 0")
        if any(row[1] < max(row) or row[2] > min(row) for row in self.shapes or ()):
            raise ValueError("a shape has a price above its high or below its low")
        return self

    @property
    def kind(self) -> str:
        """Where the bars come from, in words."""
        if self.bars:
            return "real bars"
        return "public closes" if self.returns else "shape" if self.shapes else "halt"

    def measured(self) -> CrisisShapes:
        """Its bars; none where there is a halt alone.

        Raises:
            DataError: real bars cannot be loaded, or lie outside their source.
        """
        if self.bars:
            return _of_real_bars(load_bars(self.bars, until=str(self.last)), self.first, self.bars)
        if self.returns:
            closes = np.log1p(self.returns) / self.volatility
            rows = np.column_stack([0 * closes, np.maximum(closes, 0), np.minimum(closes, 0), closes])
            if self.locked:
                rows = np.repeat(closes[:, None], 4, axis=1)
        else:
            rows = np.asarray(self.shapes or (), dtype=np.float64).reshape(-1, 4)
        return CrisisShapes(rows, np.ones(len(rows)))


def _of_real_bars(bars: Bars, first: date, source: str) -> CrisisShapes:
    """The bars from a date on, in units of the `PRIOR_BARS` before it."""
    at = int(bars.timestamps.searchsorted(pd.Timestamp(first)))
    if at <= PRIOR_BARS or at >= len(bars):
        raise DataError(
            f"{source} holds {at} bars before {first}, and a crisis needs more than {PRIOR_BARS} before it and some "
            "after; name a longer source"
        )
    logs = np.log(bars.values[at - PRIOR_BARS - 1 :, : CLOSE + 1])
    moved = np.diff(logs[:, CLOSE])
    sigma = float(np.sqrt(np.mean(moved[:PRIOR_BARS] ** 2)))
    if sigma == 0:
        raise DataError(f"{source}: the bars before {first} do not move; name other bars")
    prices = (logs[PRIOR_BARS + 1 :] - logs[PRIOR_BARS:-1, CLOSE:]) / sigma
    before = float(bars.values[at - PRIOR_BARS : at, VOLUME].mean())
    volumes = bars.values[at:, VOLUME] / before if before > 0 else np.ones(len(prices))
    return CrisisShapes(np.asarray(prices), np.asarray(volumes))


@lru_cache(maxsize=8)
def read_crises(path: Path = LIBRARY) -> Mapping[str, Crisis]:
    """The crises of a file by name.

    Raises:
        InputError: the file cannot be read, or an entry is wrong; one line says which and how.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(one_line(f"scenarios={path} cannot be read ({reason}); give a YAML file of crises")) from None
    if not isinstance(content, dict) or not content:
        raise InputError(f"scenarios={path} holds no crises by name; write one as `stresslab scenarios` shows")
    return {str(name): _crisis(f"{path.name}: {name}", entry) for name, entry in content.items()}


def _crisis(where: str, entry: Any) -> Crisis:
    if not isinstance(entry, dict):
        raise InputError(f"{where} is not a table of facts; give title, market, first, last, source and bars")
    try:
        return Crisis(**entry)
    except (ValidationError, TypeError) as error:
        if not isinstance(error, ValidationError):
            raise InputError(one_line(f"{where}: {error}; correct the entry")) from None
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        known = did_you_mean(name, list(Crisis.model_fields)) if first["type"] == "extra_forbidden" else ""
        rule = first["msg"].removeprefix("Value error, ")
        rule = rule[0].lower() + rule[1:]
        raise InputError(one_line(f"{where}: {name + ': ' if name else ''}{rule}{known or '; correct it'}")) from None


def find_crisis(name: str) -> Crisis:
    """A crisis of the library, or as `file.yaml:name` one of the user's own.

    Raises:
        InputError: there is none of that name; a similar one is suggested.
    """
    path, colon, own = name.rpartition(":")
    known = read_crises(Path(path)) if colon else read_crises()
    name = own if colon else name
    if name not in known:
        raise InputError(f"scenario {name!r} is not known{did_you_mean(name, known, 'see `stresslab scenarios`')}")
    return known[name]


def chosen_crises(text: str) -> list[str]:
    """The names that a setting chooses: "all", names with commas between them, or a YAML file, all of it."""
    if text == ALL:
        return list(read_crises())
    if text.endswith((".yaml", ".yml")):
        return [f"{text}:{name}" for name in read_crises(Path(text))]
    names = [part.strip() for part in text.split(",") if part.strip()]
    for name in names:
        find_crisis(name)
    if not names:
        raise InputError("scenarios='' names none; give all, names, or a YAML file")
    return names
