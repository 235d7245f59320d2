"""Settings of what follows a verdict."""

from __future__ import annotations

import pytest

from stresslab.analysis.sizes import SizePlan
from stresslab.core.errors import InputError
from stresslab.runs.decision_settings import SIZE_LIMIT, HeldSettings, SizeSettings


def test_defaults_are_those_of_the_plan() -> None:
    """`--sizes` of a run and `stresslab size` ask the same."""
    assert SizeSettings.of({"run": "x"}).plan() == SizePlan.of(SIZE_LIMIT)


def test_what_cannot_be_meant_is_refused() -> None:
    """A limit on something else, and a rate that is no fraction."""
    with pytest.raises(InputError, match="drawdown"):
        SizeSettings.of({"run": "x", "limit": "P(loss) <= 5%"}).plan()
    with pytest.raises(InputError, match="borrow_rate"):
        SizeSettings.of({"run": "x", "borrow_rate": 40})


def test_limits_fail_on_nothing_but_limits() -> None:
    """A label of a verdict is not known to `stresslab limits`."""
    assert HeldSettings.of({"run": "x", "limits_file": "mandate", "fail_on": ("limits",)}).fail_on == ("limits",)
    with pytest.raises(InputError, match=r"fail_on='losing' is not known here; write limits"):
        HeldSettings.of({"run": "x", "limits_file": "mandate", "fail_on": ("losing",)})
