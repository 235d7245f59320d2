"""How numbers, labels and names read: percent, currency, intervals, verdicts and checks in words.

Fractions come in, text for people goes out. Pages and pictures decide where the text stands.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol

from stresslab.analysis.result_models import Luck, Share
from stresslab.core.text import percent as share
from stresslab.metrics.measures import MEASURES

__all__ = [
    "ANSWERS", "CHECKS", "GLYPHS", "GROWING", "UNDEFINED", "answer", "check_name", "clean", "columns", "defined",
    "interval", "measure", "money", "number", "percent", "placed", "plain_value", "price", "probability", "share",
    "shares", "short_money", "shortened", "wrapped",
]  # fmt: skip

UNDEFINED = "–"
"""What stands for a number that does not exist, and for a number that is not known."""

GLYPHS: Mapping[str, str] = MappingProxyType(
    {"robust": "✓", "fragile": "△", "lucky": "◆", "losing": "✕", "inconclusive": "?"}
)
"""A sign for each verdict, so that none depends on its colour alone."""

CHECKS: Mapping[str, str] = MappingProxyType(
    {
        "exposed_universes": "Held a position in enough of them",
        "trusted_universes": "Universes behave like this market",
        "edge_supported": "The real bars support an edge",
        "probability_of_loss_robust": "P(loss) low enough for robust",
        "probability_of_loss_lucky": "P(loss) lower than luck's",
        "backtest_won": "Backtest won beyond its error",
    }
)
"""What each check asks; others are shown under their own names."""

ANSWERS: Mapping[bool | None, str] = MappingProxyType({True: "passed", False: "failed", None: "open"})
GROWING = ("total_return", "max_drawdown", "trades", "excess_return", "pnl")
"""Measures that grow with the number of bars, so that a long backtest and a short universe do not compare."""
_LARGE = ((1e12, "T"), (1e9, "bn"), (1e6, "M"), (1e3, "k"))


class Ranged(Protocol):
    """Anything with two ends."""

    @property
    def low(self) -> float | None:
        """The lower one."""

    @property
    def high(self) -> float | None:
        """The upper one."""


def _missing(number: float | None) -> bool:
    return number is None or not math.isfinite(number)


def percent(fraction: float | None, *, signed: bool = False) -> str:
    """A fraction in percent: -3.1%, +12.4%, 0.04%, 250%."""
    if fraction is None or not math.isfinite(fraction):
        return UNDEFINED
    size = abs(100 * fraction)
    text = f"{100 * fraction:{'+' if signed else ''},.{2 if 0.005 <= size < 0.095 else 1 if size < 99.95 else 0}f}"
    return f"{_without_zero_sign(text)}%"


def money(amount: float | None, *, signed: bool = False) -> str:
    """An amount of currency: 100,000, -1,234; cents below 10."""
    if amount is None or not math.isfinite(amount):
        return UNDEFINED
    return _without_zero_sign(f"{amount:{'+' if signed else ''},.{2 if abs(amount) < 10 else 0}f}")


def short_money(amount: float) -> str:
    """An amount for the ticks of an axis: 95k, 1.25M, -40."""
    for size, unit in _LARGE:
        if abs(amount) >= size:
            return f"{amount / size:.4g}{unit}"
    return f"{amount:.4g}"


def number(value: float | None) -> str:
    """A plain number with two decimals, four digits where it is large."""
    if value is None or not math.isfinite(value):
        return UNDEFINED
    digits = 0 if abs(value) >= 1000 else 1 if abs(value) >= 100 else 2
    return _without_zero_sign(f"{value:,.{digits}f}")


def largest_multiple(size: float) -> str:
    """The largest size that keeps a limit, rounded down, since one rounded up need not keep it: 0.47x."""
    return f"{number(math.floor(100 * size + 1e-9) / 100)}x"


def price(value: float | None) -> str:
    """A price with five digits: 7,823.5, 1.0834, 0.00012345."""
    if value is None or not math.isfinite(value):
        return UNDEFINED
    digits = 0 if value == 0 else min(max(4 - math.floor(math.log10(abs(value))), 0), 10)
    return f"{value:,.{digits}f}"


def measure(name: str, value: float | None) -> str:
    """The value of a measure, in the form that the table of measures names."""
    row = MEASURES[name]
    if row.format == "percent":
        return percent(value, signed=row.tail)
    if row.format == "currency":
        return money(value, signed=row.tail)
    if row.format == "ratio" or value is None or not math.isfinite(value):
        return number(value)
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"


def interval(low: float | None, high: float | None, *, signed: bool = False, read: Callable[..., str] = percent) -> str:
    """Two fractions as a range in percent (or as `read` says); an end that so few universes cannot bound is open."""
    if _missing(low) and _missing(high):
        return UNDEFINED
    if _missing(low):
        return f"up to {read(high, signed=signed)}"
    if _missing(high):
        return f"from {read(low, signed=signed)}"
    return f"{read(low, signed=signed)} to {read(high, signed=signed)}"


def shares(found: Ranged) -> str:
    """The interval of a share: 58.1% to 64.2%."""
    low, high = found.low, found.high
    return UNDEFINED if low is None or high is None else f"{share(low)} to {share(high)}"


def placed(found: Luck) -> str:
    """Where an outcome falls: better than 44%, equal to 8% and worse than 48% of universes."""
    if found.better is None or found.equal is None or found.worse is None:
        return "without a place among the universes"
    same = f", equal to {share(found.equal.value)}" if found.equal.value else ""
    return f"better than {share(found.better.value)}{same} and worse than {share(found.worse.value)} of universes"


def probability(found: Share) -> str:
    """A probability: 61.2%; where no universe, or every one, is in it, the bound that so many can give: < 0.8%."""
    if found.value <= 0:
        return f"< {share(found.high)}"
    if found.value >= 1:
        return f"> {share(found.low)}"
    return share(found.value)


def check_name(name: str) -> str:
    """What a check asks."""
    return CHECKS.get(name, name.replace("_", " "))


def answer(passed: bool | None, value: float | None, *, is_open: bool = False) -> str:
    """The outcome of a check in one word or two; one without a value was not assessed, unless it is said to be open."""
    return "not assessed" if passed is None and value is None and not is_open else ANSWERS[passed]


def clean(text: str) -> str:
    """A name from outside as one line that prints: no control characters, no line breaks, no escape sequences."""
    return "".join(c if c.isprintable() or c in "\u200d\ufe0f" else " " for c in text).strip() or "unnamed"


def defined(text: str) -> str:
    """A sentence from elsewhere, with the sign for what is undefined in place of nan and inf."""
    return re.sub(r"[+-]?\b(?:nan|inf)\b%?", UNDEFINED, clean(text))


def plain_value(value: Any) -> str:
    """A setting as people read it: yes, no, not set, 0.0005, a, b."""
    if value is None or value == "" or value == [] or value == {}:
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    if isinstance(value, float):
        return f"{value:,.6g}" if abs(value) < 1e6 else f"{value:,.0f}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={plain_value(entry)}" for key, entry in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(plain_value(entry) for entry in value)
    return clean(str(value))


def _without_zero_sign(text: str) -> str:
    """The text without the sign of a number that was rounded to zero."""
    return text.lstrip("+-") if not text.strip("+-0.,") else text


def columns(text: str) -> int:
    """How many columns of a terminal a text takes: wide characters take two."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def shortened(text: str, most: int) -> str:
    """The text, cut where it is wider than `most` columns."""
    if columns(text) <= most:
        return text
    kept = 0
    while columns(text[: kept + 1]) < most:
        kept += 1
    return f"{text[:kept].rstrip()}…"


def wrapped(text: str, most: int) -> list[str]:
    """Lines of at most `most` columns; a word that is longer is broken."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        while columns(word) > most:
            lines, line, word = [*lines, *([line] if line else []), word[: most // 2]], "", word[most // 2 :]
        longer = f"{line} {word}".strip()
        lines, line = (lines, longer) if columns(longer) <= most else ([*lines, line], word)
    return [*lines, *([line] if line else [])]
