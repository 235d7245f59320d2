"""The hold-out: how much it keeps back, and what it refuses."""

from __future__ import annotations

import pytest

from stresslab.core.errors import InputError
from stresslab.data.market_index import IndexBars
from stresslab.data.origin import MIN_HISTORY, hold_out, split_at_origin
from tests.make.bars import make_bars
from tests.make.markets import make_market

BARS = make_bars(1000)


@pytest.mark.parametrize("span", ["1Y", "12M", "52w", "250", "365D"])
def test_the_last_bars_are_held_out(span: str) -> None:
    """A year by any name leaves the bars before it as they were."""
    kept = hold_out(BARS, span)
    assert 700 < len(kept) < 780
    assert (kept.values == BARS.values[: len(kept)]).all()
    if not span.isdigit():
        assert 360 <= (BARS.timestamps[-1] - kept.timestamps[-1]).days <= 370


@pytest.mark.parametrize("span", ["two years", "-1Y", "0", "2.5Y", "", "Y", "1e9", "99999999Y"])
def test_what_is_no_span_is_refused(span: str) -> None:
    """The error says how to write one."""
    with pytest.raises(InputError, match="write for example 2Y"):
        hold_out(BARS, span)


@pytest.mark.parametrize("span", [str(1000 - MIN_HISTORY + 1), "900000Y", "20Y"])
def test_something_must_be_left(span: str) -> None:
    """A hold-out of nearly everything is refused with the numbers."""
    with pytest.raises(InputError, match=f"fewer than {MIN_HISTORY}"):
        hold_out(BARS, span)


def test_too_few_bars_of_several_symbols_are_said_to_be_common_ones() -> None:
    """Each symbol may have many more: the line names the symbols, and leaving one out as a way on."""
    with pytest.raises(InputError, match="40 bars are fewer than the 60 of the shortest history; load more bars"):
        split_at_origin(BARS[:40], None, 10)
    with pytest.raises(InputError, match=r"40 common bars of S0 S1 S2 are fewer than the 60 .* leave out the symbol"):
        split_at_origin(IndexBars.of(make_market(count=40)), None, 10)
