"""What a person sees while a command works."""

from __future__ import annotations

import pytest

from stresslab.cli import console


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that the console believes it is."""
    now = [0.0]
    monkeypatch.setattr(console.time, "monotonic", lambda: now[0])
    return now


def test_lines_wait_for_the_first_universe(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    """Before universes come in nothing is printed, so that a mistake found early is the only line."""
    lines = console.PlainLines()
    lines("loading", 0, 1)
    clock[0] = 2.5
    lines("loading", 1, 1)
    lines("sampling", 0, 100)
    assert capsys.readouterr().err == ""
    clock[0] = 4.5
    lines("sampling", 100, 100)
    assert capsys.readouterr().err == "loading: in 2.5 s\nsampling: 100 universes in 2.0 s 50 universes/s\n"


def test_one_universe_is_counted_as_one(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    """As a replay samples it."""
    lines = console.PlainLines()
    lines("sampling", 0, 1)
    clock[0] = 0.5
    lines("sampling", 1, 1)
    assert capsys.readouterr().err == "sampling: 1 universe in 0.5 s 2.0 universes/s\n"


def test_a_long_stage_speaks_now_and_then(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    """Every ten seconds a long stage says how far it is, how fast, and how long it will take."""
    lines = console.PlainLines()
    for second in range(0, 30):
        clock[0] = float(second)
        lines("sampling", second, 60)
    printed = capsys.readouterr().err.splitlines()
    assert printed == [
        "sampling: 11 of 60 universes, 1.0 universes/s, 49 s left",
        "sampling: 21 of 60 universes, 1.0 universes/s, 39 s left",
    ]


def test_evidence_says_how_long_it_will_take(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    """Within one strategy too; since it may need less than it announced, its end has no count and no rate."""
    lines = console.PlainLines()
    for second in range(0, 13):
        clock[0] = float(second)
        lines("evidence", 10 * second, 600)
    lines("evidence", 600, 600)
    assert capsys.readouterr().err.splitlines() == [
        "evidence: 110 of 600 universes, 10 universes/s, 49 s left",
        "evidence: in 12.0 s",
    ]


def test_a_note_stands_at_the_end_of_a_line(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    """What a stage has to say beside its progress, such as the loss of a training."""
    lines = console.PlainLines()
    for second in (0, 1, 12):
        clock[0] = float(second)
        lines("training", second, 12, f"loss {second}.5")
    assert capsys.readouterr().err == "training: 12 steps in 12.0 s 1.0 steps/s, loss 12.5\n"


def test_progress_is_plain_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Lines that were held back come at the end of a command that went well, and not at all after an error."""
    with console.progress() as report:
        report("loading", 1, 1)
    assert capsys.readouterr().err.startswith("loading: in ")

    def fail() -> None:
        with console.progress() as report:
            report("loading", 1, 1)
            raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        fail()
    assert capsys.readouterr().err == ""


def test_complaints_are_one_printable_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Line ends become spaces, and escape sequences do not reach the terminal."""
    console.complain("a\nb \x1b[31m c\udcff")
    assert capsys.readouterr().err == "error: a b ?[31m c?\n"
