"""Files of limits, and presets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stresslab.core.errors import InputError
from stresslab.metrics.account_rules import AccountRules
from stresslab.runs.limit_settings import PRESETS, LimitSettings


def test_a_file_holds_limits_and_rules(tmp_path: Path) -> None:
    """Percent or fractions, hyphens or underscores; what a file says wins over its preset."""
    path = tmp_path / "limits.yaml"
    path.write_text(
        "universes: supported\nlimits:\n  - P(loss) <= 30%\naccount:\n  preset: challenge-static\n"
        "  daily-loss: 4%\n  maximum_days: 60\n"
    )
    plan = LimitSettings.read(str(path)).plan()
    assert plan.universes == "supported"
    assert [str(limit) for limit in plan.limits] == ["P(loss) <= 30%"]
    assert plan.rules == AccountRules(0.10, 0.04, 0.10, "static", 4, 60)


@pytest.mark.parametrize("name", list(PRESETS))
def test_every_preset_is_a_set_of_rules(name: str) -> None:
    """A name alone is enough, and what is recorded of it is read as the same."""
    found = LimitSettings.read(name)
    assert LimitSettings.read(found.model_dump(mode="json", exclude_unset=True)).plan() == found.plan()
    assert found.plan().rules is not None


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({}, "holds no limits"),
        ({"limits": ["luck"]}, "limit 'luck'"),
        ({"limit": ["P(loss) <= 5%"]}, "did you mean 'limits'"),
        ({"account": {"daily_loss": 5}}, "daily_loss=5"),
        ({"account": {"loss": 5}}, "'loss' is not a setting"),
        ({"account": "mandat"}, "did you mean 'mandate'"),
        ({"limits": ["P(pass) >= 5%"], "account": "mandate"}, "profit_target"),
    ],
)
def test_what_cannot_be_meant_is_refused(content: dict[str, Any], told: str) -> None:
    """One line says what."""
    with pytest.raises(InputError) as refused:
        LimitSettings.read(content)
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("given", [True, 3, ["a"]])
def test_limits_that_are_no_mapping_are_refused(given: object) -> None:
    """As a settings file may have them: one line with the remedy."""
    with pytest.raises(InputError, match="is not a file; give a YAML file, a preset, or a mapping"):
        LimitSettings.read(given)  # type: ignore[arg-type]
