"""Conditions on universes, such as a drawdown of 30% or a stretch like 2008: which universes meet them.

How many universes are looked at until enough meet a condition is decided by whoever samples them. N is universes.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from stresslab.core.arrays import BoolArray, FloatArray
from stresslab.core.errors import InputError
from stresslab.core.text import did_you_mean
from stresslab.data.bars import CLOSE, Bars
from stresslab.data.parsing.timestamps import parse_date, parse_last
from stresslab.data.universes import Universes

FORM = "write 'volatility >= 1.5x', 'return(60) <= -20%', 'drawdown >= 30%' or 'like 2008-09..2009-03'"
COMPARE: Mapping[str, Callable[[FloatArray, float], BoolArray]] = MappingProxyType(
    {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}
)
QUANTITIES = ("volatility", "return", "drawdown")
LIKE_FACTOR = 1.5
"""Factor within which the volatility is like that of a stretch."""
LIKE_DISTANCE = 0.5
"""Distance of return and drawdown from a stretch's, in standard deviations of a return over so many bars."""
MIN_STRETCH = 5


@dataclass(frozen=True)
class Condition:
    """One condition.

    Attributes:
        text: as it was asked for.
        quantity: of `QUANTITIES`, or "like".
        bars: first bars of a universe that it is about; None for all.
        sign: of `COMPARE`.
        threshold: a fraction; of volatility a multiple of that of as many real bars before the origin.
        like: log returns (L,) of a stretch of real bars.
    """

    text: str
    quantity: str
    bars: int | None = None
    sign: str = ">="
    threshold: float = math.nan
    like: tuple[float, ...] = ()

    def within(self, horizon: int) -> Condition:
        """The condition itself.

        Raises:
            InputError: it is about more bars than universes have.
        """
        asked = len(self.like) or self.bars or 1
        if asked > horizon:
            raise InputError(
                f"given={self.text!r:.80} is about {asked} bars, more than the horizon of {horizon}; give a longer "
                "`horizon`"
            )
        return self

    def met(self, universes: Universes) -> BoolArray:
        """Which universes meet it (N,)."""
        closes = np.log(universes.values[:, :, CLOSE].astype(np.float64))
        last = np.log(universes.history.values[:, CLOSE])
        paths = np.concatenate([np.full((len(closes), 1), last[-1]), closes], axis=1) - last[-1]  # (N, T + 1)
        if self.quantity == "like":
            return self._alike(paths[:, : len(self.like) + 1])
        paths = paths[:, : (self.bars or universes.horizon) + 1]
        return np.asarray(COMPARE[self.sign](_value(self.quantity, paths, last), self.threshold))

    def _alike(self, paths: FloatArray) -> BoolArray:
        """Volatility within a factor, return and drawdown within half a standard deviation of the stretch's."""
        real = np.concatenate([[0.0], np.cumsum(self.like)])[None]
        sigma = float(np.std(self.like))
        near = LIKE_DISTANCE * sigma * math.sqrt(len(self.like))
        ratio = np.diff(paths, axis=1).std(axis=1) / sigma
        return np.asarray(
            (np.abs(np.log(np.maximum(ratio, 1e-9))) <= math.log(LIKE_FACTOR))
            & (np.abs(paths[:, -1] - real[:, -1]) <= near)
            & (np.abs(_log_drawdown(paths) - _log_drawdown(real)) <= near)
        )


def _value(quantity: str, paths: FloatArray, past: FloatArray) -> FloatArray:
    """The quantity of log paths (N, L + 1) that begin at 0, after log closes `past` (M,)."""
    if quantity == "return":
        return np.asarray(np.expm1(paths[:, -1]))
    if quantity == "drawdown":
        return np.asarray(-np.expm1(-_log_drawdown(paths)))
    before = float(np.diff(past[-paths.shape[1] :]).std())
    return np.asarray(np.diff(paths, axis=1).std(axis=1) / before) if before > 0 else np.full(len(paths), math.inf)


def _log_drawdown(paths: FloatArray) -> FloatArray:
    """The deepest fall below the highest value so far (N,), in logs, 0 or above."""
    return np.asarray((np.maximum.accumulate(paths, axis=1) - paths).max(axis=1))


VOLATILITY_UP = Condition("volatility >= 1.2x", "volatility", threshold=1.2)
"""Stands in every report: where it followed real origins, drawdowns broke the universes' bounds most often
(`benchmarks/rising_volatility.py`)."""


def parse_condition(text: str, history: Bars | None = None) -> Condition:
    """The condition that a text such as 'drawdown >= 30%' asks for.

    Args:
        text: of the forms in `FORM`.
        history: real bars in which a stretch lies that universes shall be like; None checks the form alone.

    Raises:
        InputError: it is of another form, can never hold, or its stretch does not lie in the history.
    """
    alike = re.fullmatch(r"\s*like\s+([\d-]+)\s*\.\.\s*([\d-]+)\s*", text)
    if alike is not None:
        return _like(text, alike[1], alike[2], history)
    found = re.fullmatch(r"\s*([a-z]+)\s*(?:\((\d{1,6})\))?\s*(>=|<=|>|<)\s*([-+]?[\d.]+)\s*(x|%)?\s*", text)
    if found is None:
        raise InputError(f"given={text!r:.80} is not a condition; {FORM}")
    quantity, bars, sign, number, unit = found.groups()
    if quantity not in QUANTITIES:
        raise InputError(f"given={text!r:.80} is not a condition{did_you_mean(quantity, QUANTITIES, FORM)}")
    try:
        threshold = float(number) / (100 if unit == "%" else 1)
    except ValueError:
        raise InputError(f"given={text!r:.80}: {number!r} is not a number; {FORM}") from None
    if (unit == "x") != (quantity == "volatility"):
        raise InputError(f"given={text!r:.80}: volatility is a multiple such as 1.5x, all else a share; {FORM}")
    condition = Condition(text, quantity, None if bars is None else int(bars), sign, threshold)
    _check_possible(condition)
    return condition


def _check_possible(condition: Condition) -> None:
    """Refuse what no universe can meet."""
    value, above = condition.threshold, condition.sign in (">=", ">")
    if condition.bars is not None and condition.bars < (2 if condition.quantity == "volatility" else 1):
        raise InputError(f"given={condition.text!r:.80} is about too few bars; {FORM}")
    below_zero = not above and (value < 0 or (condition.sign == "<" and value == 0))
    never = {
        "volatility": below_zero,
        "return": not above and value <= -1,
        "drawdown": below_zero or (above and value >= 1),
    }[condition.quantity]
    if never:
        bound = {"volatility": "at least 0", "return": "above -100%", "drawdown": "from 0 to below 100%"}
        raise InputError(
            f"given={condition.text!r:.80} never happens: {condition.quantity} is {bound[condition.quantity]}; give a "
            "threshold within that"
        )


def _like(text: str, first: str, last: str, history: Bars | None) -> Condition:
    """Like the real bars of a stretch; dates may be years or months."""
    begin, end = parse_date("given", first), parse_last("given", last)
    if begin > end:
        raise InputError(f"given={text!r:.80} ends before it begins; swap the dates")
    if history is None:
        return Condition(text, "like")
    start, stop = int(history.timestamps.searchsorted(begin)), int(history.timestamps.searchsorted(end, side="right"))
    if stop - start < MIN_STRETCH or start == 0:
        raise InputError(
            f"given={text!r:.80}: the history from {history.timestamps[0]:%Y-%m-%d} to "
            f"{history.timestamps[-1]:%Y-%m-%d} holds {max(stop - start, 0)} bars of it; give at least {MIN_STRETCH} "
            "that come after its first"
        )
    moved = np.diff(np.log(history.values[start - 1 : stop, CLOSE]))
    if not moved.std() > 0:
        raise InputError(f"given={text!r:.80}: the bars do not move there; give another stretch")
    return Condition(text, "like", like=tuple(moved.tolist()))
