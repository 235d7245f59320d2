"""One strategy's page."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stresslab.analysis.result import StressResult
from stresslab.analysis.result_models import LookAhead, Losses, PlantedLosses
from stresslab.report.sections import strategy
from stresslab.report.sections.strategy import checks, key_figures, strategy_pages
from stresslab.report.wording import percent, probability
from tests.make.figures import row as risk
from tests.make.gridded import share


@pytest.mark.parametrize(
    ("found", "inconclusive", "cuts", "answer", "words"),
    [
        (["2020-01-02: the entry changes", "another"], False, 32, "failed", "the entry changes (and 1 more)"),
        ([], True, 32, "open", "no decision fired in 400 real bars"),
        ([], False, 32, "passed", "at 32 cuts"),
        ([], False, 0, "passed", "one bar at a time"),
    ],
)
def test_lookahead(found: list[str], inconclusive: bool, cuts: int, answer: str, words: str) -> None:
    """The look-ahead check passed, failed or stayed open, and the sentence says on what that rests."""
    decisions = 0 if inconclusive else 7
    report = LookAhead(found=tuple(found), inconclusive=inconclusive, bars=400, cuts=cuts, decisions=decisions)
    label, sentence = strategy.lookahead(report)
    assert label == answer
    assert words in sentence


def test_each_strategy_has_its_page(several: StressResult, single: StressResult) -> None:
    """In their order, with their own anchors."""
    pages = strategy_pages(several)
    assert len(pages) == len(several.strategies)
    assert len(strategy_pages(single)) == 1


def test_the_figures_begin_with_the_loss(single: StressResult) -> None:
    """As generated, then the median; the real outcome stands last where there is one."""
    strategy_ = single.strategies[0]
    figures = key_figures(strategy_, single.init_cash)
    assert figures[0].value == probability(strategy_.universes.probability_of_loss)
    assert figures[1].value == percent(strategy_.universes.of_measure("total_return").median, signed=True)
    assert (figures[-1].name, figures[-1].value) == ("Real outcome", percent(strategy_.realised_return, signed=True))
    without = key_figures(replace(strategy_, realised=None), single.init_cash)
    assert "Real outcome" not in [figure.name for figure in without]


def test_what_never_trades_is_said(several: StressResult) -> None:
    """A share of universes without a position is a figure of its own; strategies that trade have none."""
    names = {one.name: [figure.name for figure in key_figures(one, several.init_cash)] for one in several.strategies}
    assert "Never in the market" in names["idle"]
    assert "Never in the market" not in names["hold"]


def test_every_check_has_its_answer(single: StressResult) -> None:
    """Passed, failed or open, as the verdict has it."""
    verdict = single.strategies[0].verdict
    rows = checks(verdict)
    assert len(rows) == len(verdict.checks)
    answers = {True: ("passed",), False: ("failed",), None: ("open", "not assessed")}
    for row, check in zip(rows, verdict.checks, strict=True):
        assert row.answer in answers[check.passed]


@pytest.mark.parametrize(("generators", "shown"), [(("garch",), "30% to 50%"), ((), "–")])
def test_one_generator_has_no_range(generators: tuple[str, ...], shown: str) -> None:
    """Where no other generator fits the history, its own figure is not called a range."""
    side = Losses.of(risk(0.4, 0.0) | {"generators": (0.3, 0.5), "probability_of_loss": share(0.4, 0.35, 0.45)})
    found = PlantedLosses(
        without=side, supported=side, generators=generators, own_timing=0.1, shortest_robust_horizon=None
    )
    assert strategy.over_generators(found, side) == shown
