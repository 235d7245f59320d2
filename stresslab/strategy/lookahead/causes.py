"""The likely cause of a leak, in words: from how far ahead a decision reads, and from the strategy's own lines.

It only guesses the cause: `lookahead.check` shows that a decision depends on later bars, by deciding again.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

_NEAR = (
    r"\.shift\((periods=)?-",
    r"\.(pct_change|diff)\((periods=)?-",
    r"center=True",
    r"direction='(forward|nearest)'",
    r"\.(bfill|backfill)\(|'(bfill|backfill)'",
    r"label='left'",
    r"\.transform\('",
    r"\bgradient\(|mode='same'|savgol|find_peaks|argrel|filtfilt",
    r"\.interpolate\(",
    r"\[::-1\]",
    r"\.resample\(|\.to_period\(|\.groupby\(",
    r"\broll\(",
    r"\+ 1\b.*\]",
)
_FAR = (
    r"\.fit\(|\.fit_transform\(|polyfit\(|lstsq\(",
    r"\[::-1\]",
    r"fft\(",
    r"\bidx(max|min)\(|\barg(max|min)\(",
    r"\.rank\(",
    r"iloc\[-\d",
    r"\w\.(mean|std|var|median|quantile|max|min|sum)\(",
    r"\.fillna\(",
    r"\broll\(",
)
_LENGTH = (r"iloc\[-\d", r"\blen\(", r"\.shape\[0\]", r"\.(tail|last)\(", r"\.append\(")
FAR = 50
"""Bars ahead from which a leak looks like one of the whole sample and not of a window."""


def likely_cause(reach: int | None, path: str | None) -> str:
    """A clause that names what such leaks come from, and the first line of the file that looks like it.

    Args:
        reach: bars ahead at which other bars still change a decision, at least; None when no other bar does, only
            that bars are missing.
        path: the strategy's file, or None where there is none.
    """
    first: tuple[str, ...]
    if reach is None:
        words, first = "it depends on where the bars end, as iloc[-1] or len(bars.close) do", _LENGTH
    elif reach == 1:
        words, first = "it reads the next bar, as shift(-1) does", _NEAR
    elif reach <= FAR:
        words = (
            f"it reads {reach} bars ahead or more, as a centred window, shift(-{reach}), bfill or a longer bar stamped "
            "at its beginning do"
        )
        first = _NEAR
    else:
        words, first = f"it reads {reach} bars ahead or more, as bfill or figures of the whole sample do", _FAR
    return words + _line(path, tuple(dict.fromkeys((*first, *_NEAR, *_FAR))))


def _line(path: str | None, patterns: tuple[str, ...]) -> str:
    """The line of the shortest expression that the first fitting pattern finds; empty if none fits."""
    if path is None:
        return ""
    source = Path(path).read_text(encoding="utf-8", errors="replace")
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, (ast.Call, ast.Subscript))]
    expressions = [(ast.unparse(node), node.end_lineno or node.lineno) for node in nodes]
    for pattern in patterns:
        fitting = [(len(text), number) for text, number in expressions if re.search(pattern, text)]
        if fitting:
            number = min(fitting)[1]
            return f"; see {Path(path).name} line {number}: `{source.splitlines()[number - 1].strip():.100}`"
    return ""
