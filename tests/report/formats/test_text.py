"""The terminal's text of a stress test."""

from __future__ import annotations

import re
from dataclasses import replace

from stresslab.analysis.result import StressResult
from stresslab.metrics.measures import MEASURES
from stresslab.report.formats.text import LONGEST_NAME, brief, render, shown_name, table
from stresslab.report.sections.strategy import conditions
from stresslab.report.wording import CHECKS
from tests.make.results import make_result


def test_verdict_comes_first(single: StressResult, several: StressResult) -> None:
    """The first line names the strategy and its label; several strategies begin with one line each."""
    assert str(single).splitlines()[0] == f"follow: {single.strategies[0].verdict.label.upper()}"
    lines = render(several).splitlines()
    for line, strategy in zip(lines[1:], several.strategies, strict=False):
        assert line.split()[:2] == [strategy.name, strategy.verdict.label.upper()]


def test_lines_fit_a_terminal(result: StressResult) -> None:
    """No line is longer than 80 columns (the table of realism: 100), ends in blanks or holds a control character."""
    most = 80 if result.realism is None else 100
    for line in render(result).splitlines():
        assert len(line) <= most, line
        assert line == line.rstrip()
        assert line.isprintable()


def test_all_evidence_is_there(result: StressResult) -> None:
    """Reasons, checks and measures of every strategy are printed, and no number as nan, None or inf."""
    text = render(result)
    flat = " ".join(text.split())
    for strategy in result.strategies:
        for reason in strategy.verdict.reasons:
            assert reason in flat
    for name in [*CHECKS.values(), *(row.label for row in MEASURES.values())]:
        assert len(re.findall(rf"{re.escape(name)} ", text)) >= len(result.strategies)
    assert not re.search(r"\b(nan|None|inf)\b", text)


def test_caution_is_printed(single: StressResult) -> None:
    """Warnings, and that realism was not assessed, stand below the evidence."""
    text = render(single)
    assert "Warning: Row 212" in text
    assert "realism was not assessed" in text


def test_names_cannot_control_the_terminal() -> None:
    """Escape sequences and line breaks in a name are dropped, and a long name is cut."""
    name = "a\x1b[31m\nb" + "c" * 200
    result = make_result("follow", "hold", universes=50, rename={"follow": name}, notices=["\x1b[2Jboo"])
    text = render(result)
    assert "\x1b" not in text
    assert max(len(line) for line in text.splitlines()) <= 100


def test_sets_of_a_grid_are_told_apart_where_names_are_shortened(single: StressResult) -> None:
    """Their parameters stay whole as far as they fit, or their ends; other names keep their beginning."""
    one = single.strategies[0]
    names = {
        "my_strategy[fast=20,slow=90]": "my_strat…[fast=20,slow=90]",
        "my_strategy[fast=20,slow=30]": "my_strat…[fast=20,slow=30]",
        "my_strategy[period=20,threshold=0.5]": "…[period=20,threshold=0.5]",
        "cross[lookback=60,entry=2.0,leave=0.5]": "…k=60,entry=2.0,leave=0.5]",
        "a_strategy_with_a_very_long_name": "a_strategy_with_a_very_lo…",
    }
    assert {name: shown_name(replace(one, name=name)) for name in names} == names
    assert {len(name) for name in names.values()} == {LONGEST_NAME}


def test_brief_of_one_strategy_is_a_screen(single: StressResult) -> None:
    """At most 24 lines of 80 columns: the row, whole sentences, what the figures hold for, and the warnings."""
    lines = brief(single).splitlines()
    text = " ".join(" ".join(lines).split())
    one = single.strategies[0]
    assert len(lines) <= 22  # the command adds two
    assert all(len(line) <= 80 for line in lines)
    assert f"{one.name}: {one.verdict.label.upper()}. {one.verdict.reasons[0]}" in text
    assert conditions(single) in text
    assert "Before you rely on it:" in text
    assert "…" not in text


def test_brief_of_several_has_a_row_for_each(several: StressResult) -> None:
    """And what all of them hold for; no line is longer than a terminal."""
    lines = brief(several).splitlines()
    assert all(len(line) <= 80 for line in lines)
    for line, one in zip(lines[1:], several.strategies, strict=False):
        assert line.split()[:2] == [one.name, one.verdict.label.upper()]
    assert conditions(several) in " ".join(" ".join(lines).split())


def test_a_wide_table_gives_up_what_it_can_spare() -> None:
    """First the room between columns, then the columns that are named, in their order; never the others."""
    headings, row = ["Name", "a", "b", "c"], ["n" * 40, "1" * 13, "2" * 13, "3" * 13]
    assert len(table(headings, [row], left=1)[1]) == 85
    close = [*row[:3], "3" * 9]
    assert table(headings, [close], left=1, spare=("b",))[1] == " ".join(close)
    assert table(headings, [row], left=1, spare=("b", "a"))[1].split() == [row[0], row[1], row[3]]


def test_warnings_are_printed_by_their_first_sentence(single: StressResult) -> None:
    """And counted where there are many."""
    many = replace(single, notices=[f"warning: Fault {at}. It goes on." for at in range(6)])
    text = brief(many)
    assert "  - Warning: Fault 0.\n" in text
    assert "It goes on" not in text
    assert re.search(r"  - and \d more", text)
