"""Messages stay one line, and shares have the digits that they need."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stresslab.core.text import did_you_mean, nearest, one_line, percent


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


def test_percent():
    """A share is written with the digits it needs: never 0% for what is not zero, never 100% for what is not all."""
    texts = {0: "0%", 1: "100%", 0.1: "10%", 0.092: "9.2%", 0.0004: "0.04%", 0.9996: "99.96%", 0.8: "80%", 1.5: "150%"}
    for share, text in texts.items():
        assert percent(share) == text
    assert percent(0.7996) == "80%"
    assert percent(0.7996, 0.8) == "79.96%"
    assert percent(0.8, 0.8) == "80%"
