"""The verdict: a total table of labels, checks and reasons that agree with it."""

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from stresslab.analysis.case import figures
from stresslab.analysis.result_models import LABELS, Check, Edge, EdgeLabel, PlantedLosses, Verdict
from stresslab.analysis.verdict import Criteria, Findings, implied_sharpe, judge, label, straddled, universes_needed
from stresslab.core.errors import InputError
from stresslab.metrics.distribution import Interval, wilson


def findings(
    losses: int,
    universes: int = 1000,
    *,
    exposed: int | None = None,
    edge: EdgeLabel | None = "yes",
    supported: int | None = None,
    record: float | None = 0.9,
    trusted: bool | None = True,
    caution: str | None = None,
    lacks_timing: str | None = None,
    probability: float | None = 0.9,
) -> Findings:
    """What a verdict over 120 daily bars is given on; without another number the edge changes nothing."""
    return Findings(
        exposed=wilson(universes if exposed is None else exposed, universes),
        without=wilson(losses, universes),
        supported=None if edge is None else wilson(losses if supported is None else supported, universes),
        edge=edge,
        record=None if record is None else Interval(record, record - 0.3, record + 0.3),
        trusted=trusted,
        caution=caution,
        lacks_timing=lacks_timing,
        attainable=200_000,
        horizon=120,
        periods_per_year=252,
        probability=probability,
    )


def judged(losses: int, universes: int = 1000, *, criteria: Criteria | None = None, **given: Any) -> Verdict:
    """A verdict over 120 daily bars."""
    return judge(findings(losses, universes, **given), criteria)


def check(verdict: Verdict, name: str) -> Check:
    """The check of this name."""
    return next(one for one in verdict.checks if one.name == name)


shares = st.floats(0, 1)


@st.composite
def intervals(draw: st.DrawFn) -> Interval:
    """Any interval of a share."""
    low, value, high = sorted(draw(st.tuples(shares, shares, shares)))
    return Interval(value, low, high)


@st.composite
def criterias(draw: st.DrawFn) -> Criteria:
    """Any valid criteria."""
    robust, lucky = sorted(draw(st.tuples(st.floats(0.01, 0.99), st.floats(0.01, 0.99))))
    assume(robust < lucky)
    return Criteria(exposed=draw(shares), robust=robust, lucky=lucky)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    intervals(), st.one_of(st.none(), intervals()), shares, st.sampled_from(["yes", "no", "unclear", None]),
    st.sampled_from([None, True, False]), st.booleans(), criterias(),
)  # fmt: skip
def test_every_input_has_exactly_one_label(without, supported, exposed, edge, trusted, won, criteria):
    """The table is total and its lines exclude one another: written as disjoint conditions it says the same."""
    found = Findings(
        Interval(exposed, exposed, exposed), without, supported, edge,
        Interval(1.0, 0.5, 1.5) if won else Interval(0.1, -0.3, 0.5), trusted, None, 1000, 250, 252,
    )  # fmt: skip
    losses = found.deciding
    above = [one.low >= criteria.lucky for one in losses]
    unsettled = exposed < criteria.exposed or trusted is False or bool(straddled(found, criteria))
    disagree = any(above) and not all(above)
    conditions = {
        "inconclusive": unsettled or disagree,
        "robust": not unsettled and not any(above) and edge == "yes" and losses[0].high <= criteria.robust,
        "lucky": not unsettled and all(above) and won and edge != "yes",
        "losing": not unsettled and all(above) and not (won and edge != "yes"),
        "fragile": not unsettled and not any(above) and not (edge == "yes" and losses[0].high <= criteria.robust),
    }
    assert [name for name, holds in conditions.items() if holds] == [label(found, criteria)]


@given(
    st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.integers(0, n), st.just(n))),
    st.sampled_from([None, True, False]),
    st.sampled_from([None, -0.9, 0.0, 0.9]),
    st.sampled_from(["yes", "no", "unclear", None]),
)
def test_judge_agrees_with_the_table(counts, trusted, record, edge):
    """Whatever is judged gets a label of the table, all checks in the table's order, and reasons in one line each."""
    losses, exposed, universes = counts
    given = findings(losses, universes, exposed=exposed, trusted=trusted, record=record, edge=edge)
    verdict = judge(given)
    assert verdict.label in LABELS
    assert verdict.label == label(given, Criteria())
    assert [one.name for one in verdict.checks] == [
        "exposed_universes",
        "trusted_universes",
        "edge_supported",
        "probability_of_loss_robust",
        "probability_of_loss_lucky",
        "backtest_won",
    ]
    assert verdict.reasons
    assert all("\n" not in reason and reason.endswith(".") for reason in verdict.reasons)
    if verdict.label != "inconclusive":
        assert verdict.universes_needed is None


@pytest.mark.parametrize(
    ("without", "supported", "edge", "record", "expected"),
    [
        (600, 70, "yes", 0.9, "robust"),
        (20, 70, "yes", -0.9, "robust"),
        (70, 70, "unclear", 0.9, "fragile"),
        (70, 70, "no", 0.9, "fragile"),
        (70, None, None, 0.9, "fragile"),
        (600, 200, "yes", 0.9, "fragile"),
        (600, 600, "yes", 0.9, "losing"),
        (600, 580, "unclear", 0.9, "lucky"),
        (600, 580, "no", 0.9, "lucky"),
        (600, None, None, 0.9, "lucky"),
        (600, 580, "unclear", -0.9, "losing"),
        (600, 580, "unclear", 0.1, "losing"),
        (600, 580, "unclear", -0.1, "losing"),
        (600, 580, "unclear", None, "losing"),
        (600, 300, "unclear", 0.9, "inconclusive"),
        (600, 300, "no", 0.9, "lucky"),
        (200, 100, "yes", 0.9, "inconclusive"),
        (500, 400, "unclear", 0.9, "inconclusive"),
    ],
)
def test_labels(without, supported, edge, record, expected):
    """Each line of the table is reached; a record within its own error is no win, whichever its sign."""
    assert judged(without, supported=supported, edge=edge, record=record).label == expected


def test_a_supported_edge_whose_universes_lose_is_not_lucky():
    """The page says instead that the generator lacks what the rule lives on."""
    verdict = judged(600, supported=200)
    assert verdict.label == "fragile"
    assert "their generator lacks what it depends on" in verdict.reasons[0]


def test_an_open_edge_on_which_all_turns_is_said():
    """Where it loses without an edge and wins with one, the verdict is open, and more universes are not offered."""
    verdict = judged(600, supported=300, edge="unclear")
    assert "all turns on whether the edge is real" in verdict.reasons[0]
    assert verdict.universes_needed is None


@pytest.mark.parametrize(("probability", "expected"), [(0.5, "lucky"), (0.75, "lucky"), (0.76, "inconclusive")])
def test_an_edge_that_the_bars_hardly_favour_is_luck(probability, expected):
    """Won in history, loses in 600 of 1,000 universes, and the real bars do not tell it from luck: lucky."""
    found = replace(findings(600, supported=300, edge="unclear", record=0.9), probability=probability)
    verdict = judge(found)
    assert verdict.label == expected
    if expected == "lucky":
        assert ") of universes without an edge: 50% or more" in verdict.reasons[0]
        assert "30%" not in verdict.reasons[0]


def test_inconclusive_comes_first():
    """Too little exposure and untrusted universes outrank even a probability of loss of zero, and say so first."""
    idle = judged(0, exposed=799)
    assert idle.label == "inconclusive"
    assert "79.9% of universes, fewer than 80%" in idle.reasons[0]
    assert "More universes would not settle it" in idle.reasons[0]
    assert judged(0, exposed=800).label == "robust"
    untrusted = judged(0, trusted=False)
    assert untrusted.label == "inconclusive"
    assert "do not behave like this market" in untrusted.reasons[0]
    assert idle.universes_needed is untrusted.universes_needed is None


def test_trust_not_assessed_does_not_decide_and_is_said():
    """Without a realism check the verdict is given, with a null check and a sentence that says so."""
    verdict = judged(0, trusted=None)
    assert verdict.label == "robust"
    assert check(verdict, "trusted_universes").passed is None
    assert check(verdict, "trusted_universes").note.startswith("not assessed")
    assert "was not assessed" in verdict.reasons[-1]


def test_caution_leaves_trust_open_and_says_why():
    """Doubts about the universes do not decide the label, but the check is open and both it and a reason name them."""
    verdict = judged(0, trusted=None, caution="It is open. Only 4 origins were to be had.")
    assert verdict.label == "robust"
    assert check(verdict, "trusted_universes").passed is None
    assert check(verdict, "trusted_universes").note == "open: It is open. Only 4 origins were to be had."
    assert verdict.reasons[-1] == "It is open. Only 4 origins were to be had."
    assert not any("not assessed" in reason for reason in verdict.reasons)


def losing(losses: int) -> dict[str, Any]:
    """How bad it gets where so many of 1,000 universes lose."""
    returns = np.where(np.arange(1000) < losses, -0.1, 0.1)
    return figures(pd.DataFrame({"total_return": returns, "max_drawdown": -0.2, "time_under_water": 0.5}))


def test_universes_that_lack_timing_will_do_once_it_comes_from_the_real_bars():
    """Not trusted for that alone, they withhold a verdict only while P(loss) rests on the timing that they hold."""
    found = findings(450, edge=None, trusted=False, lacks_timing="They lack timing.")
    timed = Edge(label="yes", reasons=("It is.",), checks=())
    sides = {name: losing(count) | {"generators": [0.0, 1.0]} for name, count in (("without", 450), ("supported", 40))}
    planted = PlantedLosses.of(sides | {"generators": [], "own_timing": 0.0, "shortest_robust_horizon": None})
    with_losses = timed.model_copy(update={"losses": planted})
    assert judge(found).label == judge(found.with_edge(timed, 1000)).label == "inconclusive"
    verdict = judge(found.with_edge(with_losses, 1000))
    assert (verdict.label, verdict.reasons[-1]) == ("robust", "They lack timing.")
    assert check(verdict, "trusted_universes").note == "open: They lack timing."
    assert judge(replace(found, lacks_timing=None).with_edge(with_losses, 1000)).label == "inconclusive"


def test_inconclusive_by_chance_alone_says_how_many_universes_settle_it():
    """The number printed for a straddled threshold settles it when the share stays, and hardly fewer do."""
    verdict = judged(920, 10_000)
    needed = judged(92, 1000).universes_needed
    assert verdict.label == "robust"
    assert needed == 5403  # 1.959964^2 * 0.1 * 0.9 / 0.008^2 = 5402.2
    assert "About 5,403 universes" in " ".join(judged(92, 1000).reasons)
    assert wilson(0.092 * needed, needed).high <= 0.10
    assert wilson(0.092 * (needed - 20), needed - 20).high > 0.10


@pytest.mark.parametrize(("losses", "universes"), [(100, 1000), (100_010, 1_000_000)])
def test_a_share_at_the_threshold_is_settled_by_no_number_in_reach(losses, universes):
    """Where no number of universes that can be had would settle it, the verdict says so and offers none."""
    verdict = judged(losses, universes)
    assert verdict.universes_needed is None
    assert "no number of universes in reach" in " ".join(verdict.reasons)


def test_few_universes_leave_both_thresholds_open():
    """One loss in four leaves both thresholds possible; the larger number of universes is asked for."""
    both = judged(1, 4)
    assert straddled(findings(1, 4), Criteria()) == (0.1, 0.5)
    assert both.universes_needed == max(universes_needed(0.25, 0.1), universes_needed(0.25, 0.5))


@given(st.floats(0.001, 0.999), st.floats(0.01, 0.99), st.sampled_from([0.9, 0.95, 0.99]))
def test_universes_needed_inverts_the_wilson_interval(share, threshold, level):
    """That many universes keep the threshold out of the interval, and 2% fewer do not."""
    assume(share != threshold)
    needed = universes_needed(share, threshold, level)
    settled = wilson(share * needed, int(needed), level)
    assert not settled.low + 1e-9 < threshold < settled.high - 1e-9
    if 100 < needed < 1e9:
        fewer = int(0.98 * needed)
        open_still = wilson(share * fewer, fewer, level)
        assert open_still.low < threshold < open_still.high


def test_implied_sharpe_golden():
    """An annual Sharpe ratio of 1.8571 loses in 10% of horizons of 120 days; at one year it is 1.2816."""
    assert implied_sharpe(0.10, 252, 252) == pytest.approx(1.2815515655)
    assert implied_sharpe(0.10, 120, 252) == pytest.approx(1.2815515655 * math.sqrt(2.1))
    assert implied_sharpe(0.5, 120, 252) == 0


@given(st.floats(0.001, 0.999), st.integers(1, 5000), st.floats(1, 1e5))
def test_implied_sharpe_gives_its_probability_back(probability, horizon, periods_per_year):
    """A normal strategy of the implied Sharpe ratio loses over the horizon with the probability it came from."""
    per_bar = implied_sharpe(probability, horizon, periods_per_year) / math.sqrt(periods_per_year)
    assert stats.norm.cdf(-per_bar * math.sqrt(horizon)) == pytest.approx(probability)


def test_checks_carry_values_intervals_and_thresholds():
    """Each check shows what was found, its interval, its threshold, and the Sharpe ratio the threshold implies."""
    verdict = judged(92)
    loss = wilson(92, 1000)
    robust, lucky = check(verdict, "probability_of_loss_robust"), check(verdict, "probability_of_loss_lucky")
    assert (robust.value, robust.low, robust.high, robust.threshold) == (0.092, loss.low, loss.high, 0.10)
    assert robust.passed is None
    assert lucky.passed is True
    assert "annual Sharpe ratio of 1.86" in robust.note
    assert "annual Sharpe ratio of 0.00" in lucky.note
    won = check(verdict, "backtest_won")
    assert won.passed is True
    assert (won.value, won.low, won.high) == pytest.approx((0.9, 0.6, 1.2))
    assert check(judged(92, record=0.1), "backtest_won").passed is None
    assert set(verdict.to_dict()["checks"][0]) == {"name", "value", "low", "high", "threshold", "passed", "note"}


@pytest.mark.parametrize(("losses", "robust", "lucky"), [(0, True, True), (200, False, True), (600, False, False)])
def test_loss_checks_pass_below_their_thresholds(losses, robust, lucky):
    """P(loss) passes a threshold when its whole interval lies below it and fails when above."""
    verdict = judged(losses)
    assert check(verdict, "probability_of_loss_robust").passed is robust
    assert check(verdict, "probability_of_loss_lucky").passed is lucky


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"exposed": 1.2}, "exposed=1.2"),
        ({"robust": 0.6}, "robust=0.6, lucky=0.5"),
        ({"robust": 0.0}, "robust=0.0"),
        ({"lucky": 1.0}, "lucky=1.0"),
        ({"level": 95}, "level=95"),
        ({"robust": math.nan}, "robust=nan"),
    ],
)
def test_wrong_criteria_are_refused(settings, message):
    """A threshold that is no share, or thresholds out of order, are refused in one line that names them."""
    with pytest.raises(InputError, match=message) as error:
        Criteria(**settings)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("losses", [0, 92, 200, 600])
def test_a_verdict_survives_json(losses):
    """A verdict written to JSON and read again is the same verdict."""
    verdict = judged(losses, trusted=None)
    assert Verdict.of(json.loads(json.dumps(verdict.to_dict(), allow_nan=False))) == verdict


def test_own_criteria_move_the_labels():
    """With a stricter robust threshold what was robust becomes fragile."""
    assert judged(70).label == "robust"
    assert judged(70, criteria=Criteria(robust=0.02)).label == "fragile"


def test_a_share_next_to_its_threshold_is_written_apart_from_it():
    """79.96% of exposed universes are not printed as 80%, nor 9.98% of losses as 10%."""
    assert "only 79.96% of universes, fewer than 80%" in judged(0, 10_000, exposed=7996).reasons[0]
    assert "9.98% (" in judged(998, 10_000).reasons[0]


@pytest.mark.parametrize(("losses", "record"), [(300, 0.9), (600, 0.9), (600, -0.9)])
def test_what_was_not_tested_is_said_to_be_so(losses: int, record: float) -> None:
    """Without a posterior an open edge is no evidence of luck, in the reason as in the check."""
    asked, unasked = (judged(losses, edge="unclear", record=record, probability=one) for one in (0.5, None))
    assert "cannot tell its timing from luck" in asked.reasons[0]
    assert "its timing was not tested on the real bars" in unasked.reasons[0]
    assert check(asked, "edge_supported").note == "open: the real bars cannot tell its timing from luck"
    assert check(unasked, "edge_supported").note == "not assessed: whether the real bars support an edge"


def test_losses_as_generated_are_called_so() -> None:
    """Where no edge was planted there is no P(loss) without one."""
    for edge, said in ((None, "as generated; "), ("no", "without an edge; ")):
        assert check(judged(300, edge=edge), "probability_of_loss_robust").note.startswith(said)  # type: ignore[arg-type]
