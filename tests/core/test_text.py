"""Messages stay one line."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stresslab.core.text import did_you_mean, nearest, one_line


@given(st.text())
def test_any_text_becomes_one_line(text: str) -> None:
    """Whatever a user's file holds, the message prints as a single line, and printable text stays as it is."""
    line = one_line(text)
    assert line.isprintable()
    assert len(line.splitlines()) <= 1
    assert line == text or not text.isprintable()


def test_escapes() -> None:
    """Line breaks and control signs are shown as escapes."""
    assert one_line("a\nb\x00c\u2028d") == r"a\nb\x00c\u2028d"


def test_did_you_mean() -> None:
    """The nearest known word, else the advice, else all known words."""
    assert did_you_mean("clse", ("open", "close")) == "; did you mean 'close'?"
    assert did_you_mean("xyz", ("open", "close")) == "; known are open, close"
    assert did_you_mean("xyz", ("open", "close"), "name the columns so") == "; name the columns so"
    assert nearest("xyz", iter(["open"])) is None
