from __future__ import annotations

from dataclasses import replace

from stresslab.analysis.result import StressResult
from stresslab.report.formats.changes import changes
from tests.make.results import make_result


def row(text: str, name: str) -> str:
    """The line of a strategy."""
    (line,) = [line for line in text.splitlines() if line.startswith(name)]
    return line


def test_what_is_the_same_is_said_once(single: StressResult) -> None:
    """Without a change every cell has one value, and the returns are the same."""
    line = row(changes(single, single), "follow")
    assert ">" not in line
    assert line.endswith("the same")


def test_what_changed_stands_beside_what_it_was(single: StressResult) -> None:
    """Verdict and figures are shown before and after, the mean difference with its interval."""
    (strategy,) = single.strategies
    worse = strategy.metrics.assign(total_return=strategy.metrics["total_return"] - 0.02)
    share = strategy.universes.probability_of_loss.model_copy(update={"value": 0.987})
    loss = strategy.universes.model_copy(update={"probability_of_loss": share})
    verdict = strategy.verdict.model_copy(update={"label": "robust"})
    after = replace(single, strategies=[replace(strategy, metrics=worse, universes=loss, verdict=verdict)])
    line = row(changes(single, after), "follow")
    assert f"{strategy.verdict.label.upper()} > ROBUST" in line
    assert "> 98.7%" in line
    assert "-2.0% (-2.0% to -2.0%)" in line


def test_strategies_that_came_and_went_are_named() -> None:
    """One that is only in one of the runs is new or gone."""
    one, two = make_result("follow", "hold", universes=60), make_result("follow", "churn", universes=60)
    text = changes(one, two)
    assert "new" in row(text, "churn")
    assert "gone" in row(text, "hold")
