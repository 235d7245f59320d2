"""Text for people: one line whatever a user's value holds, near misses, percent."""

from __future__ import annotations

import difflib


def one_line(text: object) -> str:
    """The text with line breaks and other signs that do not print written as escapes."""
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in str(text))


def did_you_mean(word: str, known: list[str]) -> str:
    """'; did you mean ...?' when something known is close, else '; known are ...'."""
    close = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(known)}"


def percent(share: float, *others: float) -> str:
    """A share as people read it: 9.2%, 10%, 0.04%.

    Args:
        share: a fraction.
        others: fractions that it must be told from, beside 0 and 1: one decimal, or as many as that takes.
    """
    text = f"{100 * share:.1f}"
    for digits in range(2, 9):
        if all(share == other or float(text) != round(100 * other, digits) for other in (0.0, 1.0, *others)):
            break
        text = f"{100 * share:.{digits}f}"
    return f"{text.rstrip('0').rstrip('.')}%"
