"""Losses without an edge and with the supported one, in the same universes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import stats

from stresslab.analysis.edge import JudgedEdge
from stresslab.analysis.planted_losses import OTHER_UNIVERSES, OTHERS, other_universes, planted_losses
from stresslab.data.bars import Bars
from stresslab.metrics.edge_posterior import EdgePosterior, Spells, edge_posterior
from tests.make.cases import bootstrap_case, timed_case
from tests.make.strategies import hold


def posterior_at(mean: float) -> EdgePosterior:
    """An annual timing ratio that is known to a tenth."""
    theta = np.linspace(mean - 0.5, mean + 0.5, 101)
    density = stats.norm.pdf(theta, mean, 0.1)
    return EdgePosterior(theta, density / density.sum(), 1.0, 0.35)


def test_the_edge_is_all_that_differs() -> None:
    """Both sides have every universe; a posterior above zero loses less often, one below zero more often."""
    case, judged, _ = timed_case()
    losses = {}
    for mean in (-3.0, 0.0, 3.0):
        found = planted_losses(case, replace(judged, posterior=posterior_at(mean)))
        assert found is not None
        assert found["without"]["universes"] == found["supported"]["universes"] == len(case.universes)
        losses[mean] = (
            found["supported"]["probability_of_loss"]["value"] - found["without"]["probability_of_loss"]["value"]
        )
    assert losses[-3.0] > 0.05
    assert abs(losses[0.0]) < 0.05
    assert losses[3.0] < -0.05


def test_the_range_holds_the_runs_own_figure() -> None:
    """With no other generator it is that figure alone; with others it spans theirs too."""
    case, judged, found = timed_case()
    assert found is not None
    own = found["without"]["probability_of_loss"]["value"]
    assert found["without"]["generators"] == [own, own]
    assert found["generators"] == []
    other = replace(case, others={"garch": case.universes.take(range(40))})
    ranged = planted_losses(other, judged)
    assert ranged is not None
    assert ranged["generators"] == ["garch"]
    low, high = ranged["without"]["generators"]
    assert low <= own <= high
    assert low < high


def test_no_edge_can_be_planted_where_nothing_is_timed(bars: Bars) -> None:
    """Without a posterior, and where exposure never varies."""
    case, judged, _ = timed_case()
    assert planted_losses(case, JudgedEdge("unclear", ("so",), ())) is None
    assert planted_losses(bootstrap_case(bars, hold, 40), judged) is None


def test_a_better_edge_needs_a_shorter_horizon() -> None:
    """The horizon from which it would be robust shrinks as the edge grows; without an edge there is none."""
    case, judged, _ = timed_case()
    shortest = []
    for mean in (1.0, 4.0):
        found = planted_losses(case, replace(judged, posterior=posterior_at(mean)))
        assert found is not None
        shortest.append(found["shortest_robust_horizon"])
    assert shortest[0] > shortest[1] > 0
    hopeless = planted_losses(case, replace(judged, posterior=posterior_at(-2.0)))
    assert hopeless is not None
    assert hopeless["shortest_robust_horizon"] is None


def test_the_others_are_those_that_fit(bars: Bars) -> None:
    """The run's own generator is left out, and so is one that cannot be fitted to so short a history."""
    found = other_universes(bars, "bootstrap", 5, 1)
    assert list(found) == [name for name in OTHERS if name != "bootstrap"]
    assert all(len(one) == OTHER_UNIVERSES and one.horizon == 5 for one in found.values())
    assert set(other_universes(bars, "kronos", 5, 1)) == set(OTHERS)
    assert list(other_universes(bars[:60], "kronos", 5, 1)) == ["bootstrap"]


def test_an_edge_in_spells_loses_more_often() -> None:
    """At the same ratio more universes lose where the edge comes in spells, since timing then varies more."""
    case, judged, _ = timed_case()
    losses = []
    for spells in (Spells(), Spells(4.0, 1.0)):
        posterior = replace(edge_posterior(4.0, 0.05), spells=spells)
        found = planted_losses(case, replace(judged, posterior=posterior))
        assert found is not None
        losses.append(found["supported"]["probability_of_loss"]["value"])
    assert losses[1] > losses[0] + 0.03
