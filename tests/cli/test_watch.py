from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stresslab.cli import run, watch
from tests.cli.conftest import Command
from tests.make.flags import SMALL


class Hands:
    """Does one thing after the other whenever the watching pauses for a change, and then presses Ctrl-C."""

    def __init__(self, *deeds: Callable[[], object]) -> None:
        self.deeds, self.after_change = list(deeds), False

    def __call__(self, seconds: float) -> None:
        """Every second pause is the one for the editor."""
        if self.after_change:
            self.after_change = False
            return
        if not self.deeds:
            raise KeyboardInterrupt
        self.deeds.pop(0)()
        self.after_change = True


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let hands work while the command watches."""

    def begin(*deeds: Callable[[], object]) -> None:
        hands = Hands(*deeds)
        monkeypatch.setattr(run, "watch", lambda once, names: watch.watch(once, names, hands))

    return begin


def test_a_saved_change_runs_again_and_shows_what_is_different(
    watched: Callable[..., None], command: Command, strategy: Path, csv: Path, tmp_path: Path
) -> None:
    """The second run says in a table what changed, from the cache; both runs are stored."""
    source = strategy.read_text()
    watched(lambda: strategy.write_text(source.replace("window=20", "window=5")))
    flags = [*SMALL, "--realism-origins", "2"]
    outcome = command("run", strategy, "--data", csv, "--out", tmp_path / "out", "--watch", *flags)
    assert outcome.code == 0, outcome.err
    assert outcome.out.count("report: ") == 2
    assert len(list((tmp_path / "out").glob("*/manifest.json"))) == 2
    (table,) = [block for block in outcome.out.split("\n\n") if block.startswith("Changed")]
    assert "above_mean" in table
    assert " > " in table
    assert outcome.out.index("Changed") < outcome.out.rindex("report: ")
    sampling = [line for line in outcome.err.splitlines() if line.startswith(("sampling", "realism"))]
    assert ["from the cache" in line for line in sampling] == [False, False, True, True]


@pytest.mark.slow
def test_a_mistake_is_a_line_and_the_next_change_is_waited_for(
    watched: Callable[..., None], command: Command, strategy: Path, csv: Path, tmp_path: Path
) -> None:
    """Neither code that is broken nor a file that is gone for a moment ends the watching."""
    source = strategy.read_text()
    watched(lambda: strategy.write_text("def signals(:"), strategy.unlink, lambda: strategy.write_text(source))
    outcome = command("run", strategy, "--data", csv, "--out", tmp_path / "out", "--watch", *SMALL)
    assert outcome.code == 0
    assert "SyntaxError" in outcome.err
    assert "does not exist" in outcome.err
    assert outcome.out.count("report: ") == 2
    assert "the same\n\nall of it" in outcome.out


@pytest.mark.slow
def test_a_change_of_a_module_beside_it_counts(
    watched: Callable[..., None], command: Command, csv: Path, tmp_path: Path
) -> None:
    """What the strategy imports from its folder is part of it."""
    helper, strategy = tmp_path / "helper.py", tmp_path / "follow.py"
    helper.write_text("SHARE = 0.5\n")
    strategy.write_text("from helper import SHARE\n\n\ndef weights(bars):\n    return bars.close * 0 + SHARE\n")
    watched(lambda: helper.write_text("SHARE = 1.0\n"))
    outcome = command("run", strategy, "--data", csv, "--out", tmp_path / "out", "--watch", *SMALL)
    assert outcome.code == 0, outcome.err
    assert outcome.out.count("report: ") == 2
    (table,) = [block for block in outcome.out.split("\n\n") if block.startswith("Changed")]
    assert not table.endswith("the same")


def test_a_wrong_flag_ends_it_at_once(
    watched: Callable[..., None], command: Command, strategy: Path, csv: Path
) -> None:
    """Waiting for a change of the code would not help."""

    def never() -> Any:
        raise AssertionError

    watched(never)
    outcome = command("run", strategy, "--data", csv, "--origin", "1900-01-01", "--watch", *SMALL)
    assert outcome.code == 2


def test_code_that_is_broken_from_the_start_is_waited_for(
    watched: Callable[..., None], command: Command, strategy: Path, csv: Path, tmp_path: Path
) -> None:
    """The first run may fail by the code too."""
    source = strategy.read_text()
    strategy.write_text("def signals(:")
    watched(lambda: strategy.write_text(source))
    outcome = command("run", strategy, "--data", csv, "--out", tmp_path / "out", "--watch", *SMALL)
    assert outcome.code == 0
    assert "SyntaxError" in outcome.err
    assert outcome.out.count("report: ") == 1
