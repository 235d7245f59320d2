"""An assessment on the terminal."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from stresslab.realism import Realism, assess
from stresslab.report.formats.realism_text import WIDTH, render
from tests.realism.cases import simulate


@pytest.fixture(scope="module")
def found() -> Realism:
    """Universes of the true process at 24 origins."""
    return assess(simulate(None, 1, 20), 20, 64)


def test_the_label_stands_first_and_all_evidence_below(found: Realism) -> None:
    """Label, origins, the gate, calibration and facts, in lines of 100 columns, without nan."""
    lines = render(found).splitlines()
    assert lines[0] == f"Realism: {found.label.upper()}"
    assert lines[1].startswith("  24 origins, 64 universes of 20 bars, ")
    assert "The gate" in lines
    assert max(map(len, lines)) <= WIDTH
    assert not re.search(r"\b(nan|inf|None)\b", render(found))
    assert sum(line.split()[:1] == [check.outcome.split()[0]] for check in found.checks for line in lines) >= len(
        found.checks
    )


def test_one_origin_of_another_generator_is_counted_as_one(found: Realism) -> None:
    """The heading of each generator has its number of origins in words that agree with it."""
    score = {"value": 1.1, "low": 1.0, "high": 1.2}
    others = {f"other {count}": {"origins": count, "crps_ratio": {"return_1": score}} for count in (1, 2)}
    text = render(replace(found, baselines=others))
    assert "other 1 (1 origin) " in text
    assert "other 2 (2 origins)" in text


def test_without_an_origin_there_is_the_reason_alone() -> None:
    """No tables of what was not measured."""
    text = render(assess([], 20, 64, ["80 bars are too few; give more"]))
    assert "80 bars are too few; give more" in text
    assert "Inside 90%" not in text
