"""The edge: real bars decide it, after selection and with fresh bars; universes describe."""

from __future__ import annotations

import json
import math

import pytest

from stresslab.analysis.edge import EdgeCriteria, Fresh, Trials, edge, edge_label, judge_edge, posterior_of
from stresslab.analysis.permutation_test import RealBars
from stresslab.analysis.result_models import EDGES, Edge
from stresslab.core.errors import InputError
from stresslab.data.bars import Bars
from stresslab.metrics.distribution import Interval
from stresslab.metrics.edge_posterior import ASSUMED_TRIALS, edge_posterior
from stresslab.metrics.fresh_evidence import FreshTiming, combined_p_value
from stresslab.metrics.market_timing import Timing
from tests.make.cases import bootstrap_case
from tests.make.strategies import hold

UNKNOWN = Interval(math.nan, -math.inf, math.inf)
NOTHING = Timing(Interval(0, 0, 0), UNKNOWN, 1.0, False, 1000)
CRITERIA = EdgeCriteria()


def timed(sharpe: float, error: float = 0.1, paths: int = 1000) -> Timing:
    """Timing worth a Sharpe ratio, with an interval of two errors; a horizon's total is a tenth of it."""
    ends = sharpe, sharpe - 2 * error, sharpe + 2 * error
    return Timing(Interval(*(end / 10 for end in ends)), Interval(*ends), 0.01, True, paths)


def on_bars(sharpe: float, p_value: float = 0.01, error: float = 0.3) -> RealBars:
    """Timing on real bars."""
    ends = Interval(sharpe, sharpe - 1.6 * error, sharpe + 1.6 * error)
    return RealBars(p_value, sharpe / error, ends, 999, 2520, True, error)


UNTIMED = RealBars(1.0, 0.0, UNKNOWN, 0, 2520, False)


def fresh(sharpe: float, p_value: float = 0.02, looks: int = 1) -> Fresh:
    """A year of bars after a strategy was frozen."""
    return Fresh(FreshTiming(sharpe, 1.0, p_value, 252), "2020-01-31", looks)


def test_the_probability_of_the_edge_decides() -> None:
    """From 95% on an edge is claimed, where little is left of what would be worth having it is excluded."""
    assert judge_edge(on_bars(1.2)).label == "yes"
    assert judge_edge(on_bars(0.3)).label == "unclear"
    assert judge_edge(on_bars(-0.5)).label == "no"
    assert judge_edge(None).label == "unclear"
    assert judge_edge(UNTIMED).label == "no"
    assert {judge_edge(on_bars(one)).label for one in (1.2, 0.3, -0.5)} == set(EDGES)


@pytest.mark.parametrize("universes", [timed(3.0), timed(-3.0), NOTHING, None])
@pytest.mark.parametrize("origins", [timed(3.0), timed(-3.0), NOTHING, None])
def test_universes_and_origins_describe_and_never_decide(universes: Timing | None, origins: Timing | None) -> None:
    """Whatever a generator's universes or the same bars at other origins hold, the label is that of the real bars."""
    for sharpe, label in ((1.2, "yes"), (0.3, "unclear"), (-0.5, "no")):
        found = judge_edge(on_bars(sharpe), universes, origins)
        assert found.label == label
        assert [check.name for check in found.checks][-2:] == ["timing_at_origins", "timing_in_universes"]


def test_selection_takes_a_claim_back() -> None:
    """What a single rule would prove, the best of fifty does not; both the posterior and the p-value say so."""
    alone, best = judge_edge(on_bars(0.7)), judge_edge(on_bars(0.7), trials=Trials(50.0))
    assert (alone.label, best.label) == ("yes", "unclear")
    assert best.posterior is not None
    assert alone.posterior is not None
    assert best.posterior.probability < alone.posterior.probability
    real = next(check for check in best.checks if check.name == "timing_on_real_bars")
    assert real.value == pytest.approx(1 - 0.99**50)
    assert "best of 50 trials" in real.note


def test_trials_are_reported_known_or_assumed() -> None:
    """The larger of what is reported and known counts; where nothing is reported, 20 are assumed and that is said."""
    assert Trials.of(3.0, 1) == Trials(3.0)
    assert Trials.of(1.0, 50) == Trials(50.0)
    assert Trials.of(1.0, 1) == Trials(1.0)
    assert Trials.of(4.0, None) == Trials(ASSUMED_TRIALS, assumed=True)
    assert Trials.of(64.0, None) == Trials(64.0)
    assert "assumed" in judge_edge(on_bars(1.2), trials=Trials.of(1.0, None)).reasons[0]
    assert "assumed" not in judge_edge(on_bars(1.2), trials=Trials.of(1.0, 30)).reasons[0]
    with pytest.raises(InputError, match="count every variant"):
        Trials(0.5)


def test_fresh_bars_add_to_the_evidence() -> None:
    """A good year after it was frozen confirms what the history left open, a bad one does not; nothing is selected."""
    trials = Trials(20.0)
    before = judge_edge(on_bars(0.85, 0.004), trials=trials)
    assert before.label == "unclear"
    assert judge_edge(on_bars(0.85, 0.004), fresh=fresh(2.5, 0.006), trials=trials).label == "yes"
    assert judge_edge(on_bars(0.85, 0.004), fresh=fresh(-1.0, 0.84), trials=trials).label == "unclear"
    alone = posterior_of(None, 20.0, fresh(1.5))
    assert alone is not None
    assert alone.mean == pytest.approx(edge_posterior(1.5, 1.0).mean)


def test_what_fresh_bars_say_stands_in_words() -> None:
    """How many there are, since when, what they show, how often they were looked at; or that they are too few."""
    said = judge_edge(on_bars(0.85), fresh=fresh(-1.0, 0.84, 3)).reasons[-1]
    for words in ("fresh bars since", "looked at 3 times", "of -1.00", "error of 1.00"):
        assert words in said
    assert "looked at" not in judge_edge(on_bars(0.85), fresh=fresh(-1.0, 0.84)).reasons[-1]
    assert "too few" in judge_edge(on_bars(0.85), fresh=Fresh(None, "2020-01-31")).reasons[-1]
    assert not any("fresh bars since" in reason for reason in judge_edge(on_bars(0.85)).reasons)


def test_every_look_is_paid_for() -> None:
    """The same fresh bars prove less the more often they were looked at."""
    once, often = (judge_edge(on_bars(0.75), fresh=fresh(0.6, 0.2, looks)) for looks in (1, 10))
    assert (once.label, often.label) == ("yes", "unclear")
    assert once.required == pytest.approx(0.95)
    assert often.required == pytest.approx(0.995)
    assert fresh(1.0, 0.2, 10).p_value == 1.0
    assert fresh(1.0, 0.02, 2).p_value == pytest.approx(0.04)


def test_p_values_are_combined_as_fisher_did() -> None:
    """Beside the posterior stands the check without a prior, of real and fresh bars together."""
    found = judge_edge(on_bars(0.8, 0.03), fresh=fresh(1.6, 0.04))
    checks = {check.name: check for check in found.checks}
    assert checks["timing_on_real_bars"].value == pytest.approx(combined_p_value([0.03, 0.04]))
    assert checks["timing_on_fresh_bars"].value == pytest.approx(0.04)
    none = judge_edge(on_bars(0.8, 0.03), fresh=Fresh(None, "2020-01-31"))
    assert {check.name: check for check in none.checks}["timing_on_fresh_bars"].passed is None


def test_reasons_say_what_it_takes_to_find_out() -> None:
    """An open edge names the years of fresh bars that would settle it, and says so where waiting would not help."""
    assert "years of fresh bars" in judge_edge(on_bars(0.3)).reasons[1]
    assert "more than 100 years of fresh bars" in judge_edge(on_bars(0.01, 0.5, error=0.6)).reasons[1]
    assert "not tested on the real bars" in judge_edge(None).reasons[0]
    assert "Nothing on the real bars" in judge_edge(on_bars(-0.05, 0.5, error=0.6)).reasons[1]
    assert judge_edge(on_bars(0.3)).to_dict()["years_to_find_out"] > 0


def test_the_table_of_edges() -> None:
    """Nothing timed is no edge, nothing known is open."""
    assert edge_label(None, False, 0.95, CRITERIA) == "no"
    assert edge_label(None, True, 0.95, CRITERIA) == "unclear"
    assert edge_label(edge_posterior(1.0, 0.2), True, 0.95, CRITERIA) == "yes"
    many = edge_posterior(0.3, 0.4, 20)  # which twenty trials beat by luck, and which is compatible with an edge
    assert many.above(CRITERIA.worth) <= CRITERIA.size
    assert edge_label(many, True, 0.95, CRITERIA) == "unclear"


@pytest.mark.parametrize("real", [on_bars(1.2), on_bars(0.3), on_bars(-0.5), UNTIMED, None])
def test_an_edge_is_plain_json(real: RealBars | None) -> None:
    """Labels, checks and posterior survive JSON; checks have the names that the report knows."""
    found = judge_edge(real, timed(0.2), None, fresh(0.4), trials=Trials.of(1.0, None))
    stored = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert Edge.of(stored).to_dict() == stored | {"losses": None}
    assert stored["label"] == found.label
    assert stored["trials"] == {"count": 20.0, "assumed": True}
    assert [check["name"] for check in stored["checks"]] == [
        "edge_is_real", "timing_on_real_bars", "timing_on_fresh_bars", "timing_at_origins", "timing_in_universes",
    ]  # fmt: skip
    assert all("\n" not in reason and reason.endswith(".") for reason in found.reasons)


@pytest.mark.parametrize(("settings", "message"), [({"size": 0.6}, "size=0.6"), ({"worth": -1.0}, "worth=-1.0")])
def test_wrong_criteria_are_refused(settings: dict[str, float], message: str) -> None:
    """Thresholds that cannot be meant are named."""
    with pytest.raises(InputError, match=message):
        EdgeCriteria(**settings)


def test_buy_and_hold_has_no_edge(nasdaq: Bars) -> None:
    """However much a decade rose: its exposure never varies."""
    found = edge(bootstrap_case(nasdaq, hold), Trials())
    assert found.label == "no"
    assert "nothing is timed" in found.reasons[0]


def test_p_values_next_to_one_have_no_more_digits() -> None:
    """As the best of many trials a p-value is nearly 1; the note says so in one number."""
    real = RealBars(0.4, 0.3, Interval(0.1, -0.5, 0.7), 999, 2000, True, 0.4)
    (check,) = [one for one in judge_edge(real, trials=Trials(50.0)).checks if one.name == "timing_on_real_bars"]
    assert "as the best of 50 trials, over 99.9%" in check.note


def test_the_trials_of_the_posterior_are_those_reported() -> None:
    """Where an estimate is so low that it counts as the best of fewer, the note says both numbers."""
    low = judge_edge(on_bars(0.1), trials=Trials.of(1.0, 400.0)).checks[0].note
    assert "as the best of 400 (an estimate so low counts as the best of 1" in low
    assert "as the best of 1, under" in judge_edge(on_bars(0.1), trials=Trials.of(1.0, 1.0)).checks[0].note


def test_no_ratio_is_written_as_minus_zero() -> None:
    """An estimate below 0 that rounds to it has no sign."""
    for trials in (1.0, 20.0):
        notes = [one.note for one in judge_edge(on_bars(-0.001), trials=Trials.of(1.0, trials)).checks]
        assert not any("-0.00" in note for note in notes)
        assert any("annual Sharpe ratio of 0.00" in note for note in notes)
