"""A dossier from a file of facts and stored runs."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from stresslab.cli import main
from stresslab.core.errors import InputError
from stresslab.report.wording import percent
from stresslab.runs.dossier import read_facts, with_dossier
from stresslab.runs.folder import load_run
from tests.make.decided import decided_run
from tests.make.pages import Page

FACTS = """owner: Desk A
intended_use: Overlay, at most 5% of the fund
materiality: medium
version: 1.1
"""


def test_a_dossier_compares_with_the_approved_run_and_the_champion(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The change log names the fees, the contest the mean difference in the same universes; all on the page."""
    approved = decided_run(tmp_path)
    run = decided_run(tmp_path, "--fees", "0.003")
    facts = tmp_path / "facts.yaml"
    facts.write_text(
        f"{FACTS}approved_run: runs/{approved.name}\ncontest: {{champion: both_ways, run: runs/{approved.name}}}\n"
    )
    found = with_dossier(load_run(run), facts).dossier
    assert found is not None
    assert found.changes is not None
    assert found.challenge is not None
    assert ("fees", "0.0005", "0.003") in [(one.name, one.before, one.after) for one in found.changes.changes]
    then, now = (pd.read_parquet(one / "metrics.parquet")["total_return"] for one in (approved, run))
    assert found.challenge.difference is not None
    assert found.challenge.difference.value == pytest.approx((now - then).mean())
    assert found.changes.losses[0][1:] == pytest.approx(((then < 0).mean(), (now < 0).mean()))
    assert main(["report", str(run), "--dossier", str(facts), "--out", str(tmp_path / "page")]) == 0
    words = Page((tmp_path / "page" / "report.html").read_text()).text
    assert percent((now - then).mean(), signed=True) in words
    assert "Validation dossier 1.1" in words
    assert "Sign-off" in words


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("owner: A\n", "'intended_use' is missing; add it"),
        ("- a\n", "not settings; write lines such as owner: A. Name"),
        (FACTS + "colour: red\n", "'colour' is not a setting"),
        (FACTS + "assumptions: [one]\n", "assumptions: 'one' is not a mapping"),
        (FACTS + "assumptions: [{text: one}]\n", "'mitigation' is missing; add it"),
        (FACTS + "contest: {champion: x}\n", ""),
    ],
)
def test_facts_that_cannot_be_meant_are_refused(tmp_path: Path, content: str, told: str) -> None:
    """One line names the file and the fact."""
    path = tmp_path / "facts.yaml"
    path.write_text(content)
    if not told:
        assert read_facts(path).contest is not None
        return
    with pytest.raises(InputError) as refused:
        read_facts(path)
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)
