"""How bad input is refused: exit code 2 and one line."""

from __future__ import annotations

from tests.cli.conftest import Outcome


def assert_refused(outcome: Outcome, *words: str) -> None:
    """Exit code 2 and one line with these words."""
    assert outcome.code == 2, outcome.err
    assert outcome.err.startswith("error: ")
    assert outcome.err.count("\n") == 1
    assert "Traceback" not in outcome.err + outcome.out
    assert "our fault" not in outcome.err
    for word in words:
        assert word in outcome.err
