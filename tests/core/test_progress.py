"""Who is told of a run's stages."""

from __future__ import annotations

import re

import pytest

from stresslab.core.progress import Countdown, Stages, in_notebook


def test_each_stage_has_its_seconds_and_tells_who_asked() -> None:
    """Begin, every advance and the end, also where less was advanced than promised."""
    heard: list[tuple[str, int, int]] = []
    stages = Stages(lambda *what: heard.append(what))
    with stages.stage("sampling", 3) as advance:
        advance(2)
    with stages.stage("evidence"):
        pass
    assert heard == [("sampling", 0, 3), ("sampling", 2, 3), ("sampling", 3, 3), ("evidence", 0, 1), ("evidence", 1, 1)]
    assert list(stages.taken()) == ["sampling", "evidence"]


def test_no_more_is_reported_than_was_announced() -> None:
    """A stage ends at its total; a part of it that needs less passes on the rest at its end, and never more."""
    heard: list[tuple[str, int, int]] = []
    stages = Stages(lambda *what: heard.append(what))
    with stages.stage("evidence", 10) as advance:
        for need in (3, 9):
            part = Countdown(5, advance)
            part(need)
            part.finish()
        advance(1)
    assert [done for _, done, _ in heard] == [0, 3, 5, 10, 10]


def test_outside_a_notebook_nobody_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is printed by a library."""
    assert not in_notebook()
    stages = Stages(None)
    with stages.stage("sampling", 3) as advance:
        advance(3)
    stages.finish()
    assert stages.progress is None
    assert capsys.readouterr() == ("", "")


def test_a_notebook_has_a_line_that_is_written_anew() -> None:
    """A real kernel runs the stages: one output below the cell, which at the end says how long it took."""
    nbformat = pytest.importorskip("nbformat")
    client = pytest.importorskip("nbclient").NotebookClient
    code = (
        "import time\n"
        "from stresslab.core.progress import Stages\n"
        "stages = Stages(None)\n"
        "with stages.stage('sampling', 1000) as advance:\n"
        "    time.sleep(0.25)\n"
        "    advance(400)\n"
        "print(stages.progress._handle is not None)\n"
        "stages.finish()\n"
    )
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    book.metadata.update(kernel)
    client(book, timeout=60, kernel_name="python3").execute()
    shown = [one for one in book.cells[0].outputs if one.output_type == "display_data"]
    assert len(shown) == 1
    assert re.fullmatch(r"finished in \d+\.\d s", shown[0].data["text/plain"])
    assert any("True" in one.get("text", "") for one in book.cells[0].outputs)
