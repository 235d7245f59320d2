"""What a run is to do is checked before it begins, and recorded."""

from __future__ import annotations

import os
from typing import Any

import pytest

from stresslab.analysis.verdict import Criteria
from stresslab.backtest import Terms
from stresslab.core.errors import InputError
from stresslab.runs.plan import Compute, Plan, Studies
from tests.runs.cases import BOOTSTRAP, Changed, above_mean, refuse, run


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"universes": 0}, "universes=0"),
        ({"universes": 2.5}, r"universes=2\.5"),
        ({"horizon": 0}, "horizon=0"),
        ({"horizon": True}, "horizon=True"),
        ({"horizon": "20"}, "horizon='20'"),
        ({"seed": -1}, "seed=-1"),
        ({"seed": 1.5}, r"seed=1\.5"),
        ({"position": "cary"}, "position='cary' .* did you mean 'carry'"),
        ({"warmup": -1}, "warmup=-1"),
        ({"init_cash": 0}, "init_cash=0"),
        ({"init_cash": float("nan")}, "init_cash=nan"),
        ({"strategy": []}, "no strategy"),
        ({"strategy": "nowhere.py"}, "nowhere.py"),
    ],
    ids=str,
)
def test_wrong_settings_are_refused_before_anything_is_sampled(setting: dict[str, Any], words: str) -> None:
    """One line names the value."""
    with pytest.raises(InputError, match=words) as caught:
        run(**{"strategy": above_mean, "generator": Changed(refuse), **setting})
    assert "\n" not in str(caught.value)


def plan(strategy: Any = above_mean, **changes: Any) -> Plan:
    """A plan of ten universes."""
    given = {
        "generator": BOOTSTRAP, "universes": 10, "horizon": 5, "origin": None, "seed": 1, "terms": Terms(),
        "studies": Studies(), "compute": Compute(), "criteria": Criteria(), "allow_lookahead": False,
        "accept_untrusted": False, "config": {},
    }  # fmt: skip
    params, grid = changes.pop("params", None), changes.pop("grid", None)
    return Plan.of(strategy, params, grid, **(given | changes))


def test_a_grid_is_spread_out_and_recorded() -> None:
    """One strategy for each combination; the recorded settings hold the values, and what the caller adds."""
    made = plan(grid={"window": [10, 20, 30]}, config={"data": "bars.csv", "seed": 1})
    assert [one.parameters for one in made.strategies] == [{"window": 10}, {"window": 20}, {"window": 30}]
    assert made.config["grid"] == {"window": [10, 20, 30]}
    assert (made.config["data"], made.config["horizon"], made.config["position"]) == ("bars.csv", 5, "carry")
    assert "grid" not in plan(params={"window": 12}).config


@pytest.mark.parametrize("allowed", [-1, 1.5, True, "2", None])
def test_failures_are_a_whole_number(allowed: Any) -> None:
    """Negative and fractional numbers of universes cannot be meant."""
    with pytest.raises(InputError, match="is no number of universes; give 0 or more"):
        Compute(allow_failures=allowed)


def test_no_number_of_workers_means_one_for_each_processor() -> None:
    """And a number means so many."""
    assert Compute().workers == os.cpu_count()
    assert Compute(jobs=3).workers == 3
    assert Compute(work="x").folder is not None
    assert Compute().folder is None


def test_a_portfolio_of_what_is_not_there_is_refused() -> None:
    """Before bars are looked at; shares of what is there are the plan's."""
    with pytest.raises(InputError, match="above_mien"):
        plan(studies=Studies(portfolio={"above_mien": 1.0}))
    assert plan(studies=Studies(portfolio={"above_mean": 0.5})).shares == {"above_mean": 0.5}


def test_less_memory_means_smaller_shards() -> None:
    """And so do more symbols at the same memory; too little is refused with what would do."""
    one, two = (plan(horizon=250, compute=Compute(jobs=1, memory=memory)) for memory in ("1GB", "1.2GB"))
    assert 0 < one.shard_size() < two.shard_size()
    assert 0 < two.shard_size(50) < two.shard_size(5) < two.shard_size()
    with pytest.raises(InputError, match="memory=600 MB is too little"):
        plan(horizon=250, compute=Compute(jobs=1, memory="600MB")).shard_size(50)
