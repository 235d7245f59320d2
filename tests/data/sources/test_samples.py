"""The bars that come with the installation."""

from __future__ import annotations

import pytest

from stresslab.core.errors import DataError
from stresslab.data.sources.load import SAMPLES, load_sample


@pytest.mark.parametrize("name", SAMPLES)
def test_samples_load(name: str) -> None:
    """Each sample is twenty years of sound daily bars without a repair."""
    bars = load_sample(name)
    assert len(bars) == 5031
    assert (str(bars.timestamps[0].date()), str(bars.timestamps[-1].date())) == ("1999-01-04", "2018-12-31")
    assert bars.calendar.describe() == "1 day bars, Monday to Friday, 252 a year"
    assert (bars.symbol, bars.source, bars.repaired) == (name, f"sample:{name}", 0)
    assert (bars.volume > 0).mean() > 0.999
    assert not [notice for notice in bars.notices if notice.startswith("warning")]


def test_range_of_a_sample() -> None:
    """A sample is cut like any other source."""
    bars = load_sample("nasdaq", since="2008-01-01", until="2008-06-30")
    assert (str(bars.timestamps[0].date()), str(bars.timestamps[-1].date())) == ("2008-01-02", "2008-06-30")


@pytest.mark.parametrize(
    ("name", "words"), [("nasdak", "did you mean sample:nasdaq"), ("", "there are"), ("x\n", r"sample:x\\n is not")]
)
def test_unknown_sample(name: str, words: str) -> None:
    """An unknown name is answered with all that there are, and the similar one, in one line."""
    with pytest.raises(DataError, match=words) as caught:
        load_sample(name)
    assert all(f"sample:{known}" in str(caught.value) for known in SAMPLES)
    assert "\n" not in str(caught.value)
