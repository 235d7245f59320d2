"""What a leak probably is: words for how far ahead it reads, and the line that looks like it."""

from __future__ import annotations

from pathlib import Path

import pytest

from stresslab.strategy.lookahead.causes import FAR, likely_cause


@pytest.mark.parametrize(
    ("reach", "words"),
    [
        (None, "it depends on where the bars end"),
        (1, "it reads the next bar, as shift(-1) does"),
        (FAR, f"it reads {FAR} bars ahead or more, as a centred window, shift(-{FAR})"),
        (FAR + 1, f"it reads {FAR + 1} bars ahead or more, as bfill or figures of the whole sample do"),
    ],
)
def test_words(reach: int | None, words: str) -> None:
    """Each reach has its words; without a file no line is shown."""
    assert likely_cause(reach, None).startswith(words)
    assert "see" not in likely_cause(reach, None)


@pytest.mark.parametrize(
    ("reach", "line"),
    [(1, "up = close.shift(-1) > close"), (400, "scale = close.rank()"), (None, "last = close.iloc[-1]")],
)
def test_the_line_fits_the_reach(reach: int | None, line: str, tmp_path: Path) -> None:
    """Of several suspicious lines the one that fits is shown; words in docstrings and comments are none."""
    path = tmp_path / "rule.py"
    lines = ["up = close.shift(-1) > close", "scale = close.rank()", "last = close.iloc[-1]"]
    path.write_text('"""close.shift(-1), iloc[-1], close.rank()"""\n# close.shift(-1)\n' + "\n".join(lines) + "\n")
    assert likely_cause(reach, str(path)).endswith(f"; see rule.py line {lines.index(line) + 3}: `{line}`")


def test_no_line_fits(tmp_path: Path) -> None:
    """Where no line looks like a leak, none is shown."""
    path = tmp_path / "rule.py"
    path.write_text("up = close.rolling(5).mean() > close.shift(1)\n")
    assert likely_cause(1, str(path)) == likely_cause(1, None)
