"""Text for people: a user's value on one line, the nearest known word, percentages."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def one_line(text: object) -> str:
    """The text with line breaks and other characters that do not print written as escapes."""
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in str(text))


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like this one, or None when none is like it."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return close[0] if close else None


def did_you_mean(word: str, known: Iterable[str], otherwise: str | None = None) -> str:
    """End an error about an unknown word: "; did you mean 'x'?", or what to do when nothing is like it.

    Args:
        word: what was given.
        known: the words that are allowed.
        otherwise: the advice when no known word is like it; None lists them all.
    """
    known = list(known)
    close = nearest(word, known)
    if close is not None:
        return f"; did you mean {close!r}?"
    return f"; {otherwise}" if otherwise is not None else f"; known are {', '.join(known)}"


def percent(share: float, *others: float) -> str:
    """A share as people read it: 9.2%, 10%, 0.04%.

    Args:
        share: a fraction.
        others: fractions that must not look the same, beside 0 and 1: one decimal, or as many as that takes.
    """
    text = f"{100 * share:.1f}"
    for digits in range(2, 9):
        if all(share == other or float(text) != round(100 * other, digits) for other in (0.0, 1.0, *others)):
            break
        text = f"{100 * share:.{digits}f}"
    return f"{text.rstrip('0').rstrip('.')}%"
