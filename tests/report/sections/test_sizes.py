"""How large to trade, in words."""

from __future__ import annotations

from stresslab.analysis.limit_rules import Limit
from stresslab.analysis.result_decisions import LargestSize, SizeStudy
from stresslab.analysis.sides import sides
from stresslab.analysis.sizes import SizePlan, size_study
from stresslab.report.sections.sizes import credit_sentence, headline, kelly_sentence, size_tables
from stresslab.report.wording import percent
from tests.make.cases import timed_case


def study() -> SizeStudy:
    """Sizes of a strategy."""
    case, edge, _ = timed_case()
    plan = SizePlan(Limit.parse("P(drawdown > 5%) <= 20%"))
    return size_study(sides(case, edge.posterior), edge.posterior, plan, 0)


def with_largest(size: float, limited: bool) -> SizeStudy:
    """The same with another largest size."""
    found = study()
    largest = LargestSize(size=size, low=size, high=size, limited=limited)
    side = found.sides[found.judged].model_copy(update={"largest": largest})
    return found.model_copy(update={"sides": found.sides | {found.judged: side}})


def test_the_headline_says_the_answer() -> None:
    """No size, every size, or the largest with its interval."""
    found = study()
    assert f"Up to {int(100 * found.sides['supported'].largest.size) / 100:.2f}x" in headline(found)
    assert headline(with_largest(0.0, True)).startswith("No size keeps P(drawdown > 5%) <= 20%")
    assert headline(with_largest(10.0, False)).startswith("Every size up to 10.00x keeps")


def test_every_size_has_a_row_on_every_side() -> None:
    """The table holds the figures of the study."""
    found = study()
    table, *others = size_tables({"one": found})
    first = found.sides["supported"].rows[0]
    assert table.rows[0][0] == "0.1x"
    assert table.rows[0][1:3] == (percent(first.growth, signed=True), percent(first.median_return, signed=True))
    sides = [found.sides[name] for name in ("supported", "generated", "without")]
    assert [len(one.rows) for one in (table, *others)] == [len(side.rows) + len(side.fractions) for side in sides]
    assert [one.open for one in (table, *others)] == [True, False, False]
    assert "6% a year" in credit_sentence(found)
    assert "Kelly" in kelly_sentence(found)
