"""What is asked of a run, checked before anything is computed."""

from __future__ import annotations

import pytest

from stresslab.analysis.crises import read_crises
from stresslab.analysis.what_if_plan import WhatIfPlan
from stresslab.core.errors import InputError
from stresslab.data.market_index import IndexBars
from stresslab.generators.bootstrap import StationaryBootstrap
from tests.make.bars import make_bars
from tests.make.markets import make_market


def test_scenarios_begin_after_a_tenth_of_the_horizon() -> None:
    """All of the library, beside the shocks."""
    shocks = WhatIfPlan(("gap=-8%@10",), "all").shocks(120)
    assert [one.name for one in shocks] == ["gap=-8%@10", *read_crises()]
    assert {one.first for one in shocks[1:]} == {12}
    assert all(one.last < 120 for one in shocks)


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (WhatIfPlan(("gap=-8%@61",)), "after the horizon of 60 bars"),
        (WhatIfPlan((), "crash_2020"), "did you mean 'crash_2020_03'"),
        (WhatIfPlan((), " , "), "names none"),
        (WhatIfPlan((), None, ("return(61) < 0%",)), "more than the horizon of 60"),
        (WhatIfPlan((), None, ("like 2016-03..2016-05x",)), "is not a condition"),
    ],
)
def test_what_cannot_be_asked_is_refused(plan: WhatIfPlan, words: str) -> None:
    """Before bars are looked at."""
    with pytest.raises(InputError) as caught:
        plan.check(60, StationaryBootstrap())
    assert words in str(caught.value)


def test_several_symbols_are_refused() -> None:
    """One line; without a question they pass."""
    market = IndexBars.of(make_market(100))
    WhatIfPlan().check_history(20, market)
    with pytest.raises(InputError, match="several symbols have no shocks"):
        WhatIfPlan(("gap=-8%@10",)).check_history(20, market)


def test_a_stretch_must_lie_in_the_history() -> None:
    """The form is checked first, the dates when bars are there."""
    plan = WhatIfPlan((), None, ("like 1999-01..1999-02",))
    plan.check(60, StationaryBootstrap())
    with pytest.raises(InputError, match="holds 0 bars of it"):
        plan.check_history(60, make_bars(300))
