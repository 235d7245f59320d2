"""The edge: one label for every combination of evidence, claimed only where the real bars support it."""

from __future__ import annotations

import itertools
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stresslab.analysis.edge import (
    STANDINGS,
    EdgeCriteria,
    Standing,
    edge_label,
    edge_table,
    judge_edge,
    standing_at_origins,
    standing_in_universes,
    standing_of_real_bars,
)
from stresslab.analysis.permutation_test import RealBars
from stresslab.analysis.result_models import EDGES, Edge
from stresslab.core.errors import InputError
from stresslab.metrics.distribution import Interval
from stresslab.metrics.market_timing import Timing

NOTHING = Timing(Interval(0, 0, 0), Interval(math.nan, -math.inf, math.inf), 1.0, False, 1000)
CRITERIA = EdgeCriteria()


def timed(sharpe: float, error: float = 0.1, paths: int = 1000) -> Timing:
    """Timing worth a Sharpe ratio, with an interval of two errors; a horizon's total is a tenth of it."""
    ends = sharpe, sharpe - 2 * error, sharpe + 2 * error
    return Timing(Interval(*(end / 10 for end in ends)), Interval(*ends), 0.01, True, paths)


def on_bars(p_value: float, sharpe: float = 0.0, error: float = 0.25) -> RealBars:
    """Timing on real bars."""
    return RealBars(p_value, 1.0, Interval(sharpe, sharpe - 2 * error, sharpe + 2 * error), 999, 4500, True)


def test_the_table_is_total() -> None:
    """All 27 combinations have one of three labels; a claim needs bars and universes, and origins can only veto."""
    found = {one: edge_label(*one) for one in itertools.product(STANDINGS, repeat=3)}
    assert len(found) == 27
    assert set(found.values()) == set(EDGES)
    for (universes, real, origins), label in found.items():
        assert (label == "no") == (real == "excludes")
        assert (label == "yes") == (universes == "supports" and real == "supports" and origins != "excludes")


def test_the_printed_table_is_the_rule() -> None:
    """Nine cells, one of them a claim; nothing is claimed in the row of bars that exclude it."""
    table = edge_table()
    assert table["supports"]["supports"] == "yes"
    assert [label for row in table.values() for label in row.values()].count("yes") == 1
    assert set(table["excludes"].values()) == {"no"}


order: dict[Standing, int] = {"excludes": 0, "open": 1, "supports": 2}


def test_more_support_never_takes_a_claim_away() -> None:
    """In each piece of evidence the label rises from no over unclear to yes, or stays."""
    rank = {"no": 0, "unclear": 1, "yes": 2}
    for one in itertools.product(STANDINGS, repeat=3):
        for place in range(3):
            for better in STANDINGS:
                if order[better] > order[one[place]]:
                    other = list(one)
                    other[place] = better
                    assert rank[edge_label(*other)] >= rank[edge_label(*one)]


def test_what_evidence_supports_or_excludes() -> None:
    """Intervals above 0 support, below what is worth having they exclude, and untimed ones exclude."""
    assert standing_in_universes(timed(0.3), CRITERIA) == "supports"
    assert standing_in_universes(timed(0.1), CRITERIA) == "excludes"
    assert standing_in_universes(timed(0.4, 0.3), CRITERIA) == "open"
    assert standing_in_universes(NOTHING, CRITERIA) == "excludes"
    assert standing_of_real_bars(on_bars(0.04), 1, CRITERIA) == "supports"
    assert standing_of_real_bars(on_bars(0.4, -0.1), 1, CRITERIA) == "excludes"
    assert standing_of_real_bars(on_bars(0.2, 0.2), 1, CRITERIA) == "open"
    assert standing_of_real_bars(None, 1, CRITERIA) == "open"
    assert standing_at_origins(timed(1.0)) == "supports"
    assert standing_at_origins(timed(-1.0)) == "excludes"
    assert standing_at_origins(timed(0.1)) == "open"
    assert standing_at_origins(None) == standing_at_origins(NOTHING) == "open"


def test_an_edge_is_claimed_only_with_the_real_bars() -> None:
    """Universes alone, however sure, leave it unclear; with the bars it is claimed; origins can take it back."""
    assert judge_edge(timed(3.0, 0.01), None).label == "unclear"
    assert judge_edge(timed(3.0, 0.01), on_bars(0.2, 0.3)).label == "unclear"
    assert judge_edge(timed(3.0), on_bars(0.001, 1.0)).label == "yes"
    assert judge_edge(timed(3.0), on_bars(0.001, 1.0), timed(-1.0)).label == "unclear"
    assert judge_edge(NOTHING, on_bars(0.001, 1.0)).label == "unclear"


def test_universes_that_repeat_the_history_cannot_confirm_it() -> None:
    """What supports elsewhere leaves the edge unclear, and the reason is given; what excludes still does."""
    found = judge_edge(timed(3.0), on_bars(0.001, 1.0), independent=False)
    assert found.label == "unclear"
    assert "repeat its luck" in found.reasons[-1]
    assert standing_in_universes(timed(0.1), CRITERIA, independent=False) == "excludes"


def test_selection_takes_a_p_value_back() -> None:
    """1% of a single rule supports an edge, 1% of the best of fifty does not."""
    assert judge_edge(timed(3.0), on_bars(0.01, 1.0)).label == "yes"
    found = judge_edge(timed(3.0), on_bars(0.01, 1.0), trials=50)
    assert found.label == "unclear"
    assert found.checks[1].value == pytest.approx(1 - 0.99**50)
    assert "best of 50 trials" in found.checks[1].note
    with pytest.raises(InputError, match="count every variant"):
        judge_edge(timed(3.0), None, trials=0)


def test_permutations_too_few_to_show_an_edge_are_named() -> None:
    """999 cannot show one as the best of 100 trials, and the reason says how many could; they are not blamed else."""
    found = judge_edge(timed(3.0), on_bars(0.001, 1.0), trials=100)
    assert found.label == "unclear"
    assert "`permutations=1950` or more" in found.reasons[-1]
    for others in (judge_edge(timed(3.0), on_bars(0.2, 0.3), trials=100), judge_edge(timed(3.0), on_bars(0.01, 1.0))):
        assert not any("`permutations" in reason for reason in others.reasons)


def test_buy_and_hold_has_none() -> None:
    """Nothing timed on the real bars is no edge, and said in plain words."""
    held = RealBars(1.0, 0.0, Interval(math.nan, -math.inf, math.inf), 0, 4500, False)
    found = judge_edge(NOTHING, held)
    assert found.label == "no"
    assert found.reasons == ("Its exposure never varies, so all that it earns is its exposure.",)


@given(st.floats(-3, 3), st.floats(0.01, 1), st.floats(0.001, 1), st.floats(-3, 3), st.floats(1, 100))
def test_every_edge_is_explained_and_survives_json(
    sharpe: float, error: float, p_value: float, real: float, trials: float
) -> None:
    """There are always reasons and three checks, and what is written is read back."""
    found = judge_edge(timed(sharpe, error), on_bars(p_value, real), trials=trials)
    assert found.reasons
    assert [check.name for check in found.checks] == ["timing_in_universes", "timing_on_real_bars", "timing_at_origins"]
    assert Edge.of(json.loads(json.dumps(found.to_dict(), allow_nan=False))) == found


def test_criteria_that_cannot_be_meant_are_refused() -> None:
    """An error rate of 5 and a worth of 0."""
    with pytest.raises(InputError, match=r"for 5% write 0\.05"):
        EdgeCriteria(size=5)
    with pytest.raises(InputError, match=r"write for example 0\.5"):
        EdgeCriteria(worth=0)
