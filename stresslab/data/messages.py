"""How a message stays one line whatever the user's file or argument holds; what the messages say is known elsewhere."""

from __future__ import annotations


def one_line(text: object) -> str:
    """The text with line breaks and other signs that do not print written as escapes."""
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in str(text))
