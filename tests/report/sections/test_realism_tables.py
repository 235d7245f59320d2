"""The evidence for the universes' realism: ranks and their words, tables, and what is left out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from stresslab.analysis.result import StressResult
from stresslab.analysis.result_realism import Calibration, RealismSection
from stresslab.report.charts.ranks import ranks, sentence
from stresslab.report.formats import html, text
from stresslab.report.sections import realism_tables
from stresslab.report.sections.realism import fact
from stresslab.report.sections.realism_charts import clustering_sentence, realism_charts
from stresslab.report.sections.realism_tables import FEW, MANY, OFF, OPEN, tables
from tests.make.pages import Page
from tests.make.results import make_realism, make_result

KEYS = ["coverage", "scores", "facts", "growth", "diagnostics"]


def ranked(values: Sequence[float], universes: int = 64) -> RealismSection:
    """A section with nothing but ranks, at the middles of their cells."""
    cells = (np.floor(np.asarray(values) * (universes + 1)) + 0.5) / (universes + 1)
    quantity = Calibration.model_construct(ranks=tuple(cells))
    return bare(universes=universes).model_copy(update={"calibration": {"volatility": quantity}})


def bare(**changes: Any) -> RealismSection:
    """A section without evidence."""
    facts: dict[str, Any] = {"label": "no fault found", "reasons": (), "checks": (), "origins": 24, "horizon": 60}
    return RealismSection(**(facts | {"universes": 64, "start": None, "end": None} | changes))


EVEN = list((np.arange(40) + 0.5) / 40)
NARROW = [0.01] * 12 + [0.99] * 12 + EVEN[::4]
WIDE = [0.45, 0.5, 0.55] * 8
LOW = [value**3 for value in EVEN]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (EVEN, "no sign of universes too narrow, too wide or biased"),
        (NARROW, "pile up at the edges: the universes are too narrow"),
        (WIDE, "pile up in the middle: the universes are too wide"),
        (LOW, "pile up on the low side: what followed was mostly calmer than the universes"),
        ([1 - value for value in LOW], "pile up on the high side: what followed was mostly more volatile"),
    ],
)
def test_the_sentence_says_where_outcomes_lie(values: list[float], words: str) -> None:
    """Edges, middle or one side, each in words, and only where it is."""
    found = ranks(ranked(values), "volatility")
    assert found is not None
    told = sentence(found, "volatility")
    assert words in told
    assert told.count("pile up") == (values != EVEN)
    assert f"of {len(values)} outcomes" in told


def test_even_ranks_seldom_pile_up_in_words() -> None:
    """Ranks of true universes are called uneven in about 5% of cases."""
    rng = np.random.default_rng(1)
    drawn = [ranks(ranked(list(rng.uniform(size=24))), "volatility") for _ in range(1000)]
    told = [found is not None and "pile up" in sentence(found, "volatility") for found in drawn]
    assert 0.02 <= np.mean(told) <= 0.08


def test_few_origins_have_no_strip() -> None:
    """Ranks of fewer origins than trust takes are not drawn."""
    assert ranks(ranked(EVEN[:11]), "volatility") is None
    assert ranks(bare(), "volatility") is None
    assert [chart.key for chart in realism_charts(make_realism(count=5))] == ["realism-clustering"]


def test_everything_is_shown(assessed: StressResult) -> None:
    """Charts, tables and notes are in the page; the terminal stays with the gate."""
    page = html.render(assessed)
    for key in KEYS:
        assert f'id="realism-{key}"' in page
    for key in ("ranks", "clustering"):
        assert f'data-chart="realism-{key}"' in page
    for words in ("too narrow", "top_p=0.9", "392 bars turned into tokens", "CRPS over that of garch", "0.70 to 0.79"):
        assert words in page
    assert [line.cells[0].text for line in tables(assessed.realism)["diagnostics"].lines][:2] == ["1.0%", "1.04"]
    assert "CRPS" not in text.render(assessed)


def test_what_is_absent_is_not_shown() -> None:
    """A bootstrap has no diagnostics, and a section without evidence no tables at all."""
    plain = make_realism()
    assert list(tables(plain)) == KEYS[:4]
    page = html.render(make_result("hold", universes=20, realism=bare(checks=plain.checks)))
    assert "realism-title" in page
    assert "realism-coverage" not in page
    assert tables(bare()) == {}
    assert realism_tables.notes(bare()) == []


def test_coverage_is_marked_where_chance_cannot_explain_it() -> None:
    """Narrow universes hold too few outcomes, wide ones too many; what so few universes cannot say is open."""
    cells = {
        width: {line.name: line.cells for line in tables(make_realism(width=width))["coverage"].lines}
        for width in (0.4, 1.0, 2.5)
    }
    narrow, true, wide = (cells[width]["Return, bar 60"] for width in (0.4, 1.0, 2.5))
    assert [cell.mark for cell in narrow[:3]] == [FEW] * 3
    assert not any(cell.mark for cell in true)
    assert wide[0].mark == MANY
    assert true[3].text == OPEN
    assert all(" to " in cell.note for cell in (*narrow[:3], *true[:3]))


def test_facts_outside_the_interval_are_marked_and_named() -> None:
    """Volatility of narrow universes lies outside reality's interval, and the sentence says so."""
    table = tables(make_realism(width=0.6))["facts"]
    assert table.lines[0].cells[0].mark == OFF
    assert "not so: volatility of a bar" in table.sentence
    assert "below its 95% interval" in clustering_sentence(
        bare(facts={"clustering": {"universes": 0.0, "real": 0.2, "real_low": 0.1, "real_high": 0.3}})
    )


@pytest.mark.parametrize(
    "size", [{"count": 1}, {"count": 2}, {"horizon": 1}, {"horizon": 6}, {"universes": 2}, {"width": 0.0}]
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_numbers_that_cannot_be_had_are_not_printed(size: dict[str, Any]) -> None:
    """Few origins, bars or universes leave gaps, which read as dashes or words."""
    page = Page(html.render(make_result("hold", universes=20, realism=make_realism(**size))))
    assert not re.search(r"\b(nan|inf)\b|None", page.text)


def test_a_zero_has_no_sign() -> None:
    """What rounds to zero is not negative."""
    assert fact("lag_one", -0.0001) == "0.000"
