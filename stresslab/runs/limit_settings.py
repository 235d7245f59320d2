"""Limits that a strategy is held to, as a YAML file names them, and common shapes of account rules.

`analysis.limits` says what limits mean; `settings_file` reads the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from stresslab.core.errors import InputError
from stresslab.core.text import did_you_mean
from stresslab.runs.setting import Config
from stresslab.runs.settings_file import read_settings_file

if TYPE_CHECKING:
    from stresslab.analysis.limits import LimitPlan
    from stresslab.metrics.account_rules import AccountRules

PRESETS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "challenge-static": {
            "profit_target": 0.10, "daily_loss": 0.05, "maximum_loss": 0.10, "trailing": "static", "minimum_days": 4,
        },
        "challenge-second": {
            "profit_target": 0.05, "daily_loss": 0.05, "maximum_loss": 0.10, "trailing": "static", "minimum_days": 4,
        },
        "challenge-trailing-close": {
            "profit_target": 0.06, "maximum_loss": 0.04, "trailing": "close", "consistency": 0.5,
        },
        "challenge-trailing-intrabar": {
            "profit_target": 0.06, "daily_loss": 0.02, "maximum_loss": 0.04, "trailing": "intrabar",
        },
        "funded-static": {"daily_loss": 0.05, "maximum_loss": 0.10, "trailing": "static"},
        "mandate": {"maximum_loss": 0.20, "trailing": "close"},
    }
)  # fmt: skip
"""Common shapes of account rules, by name; each is a starting point that a file may change."""


def _fraction(value: Any) -> Any:
    """A fraction that may be written in percent: 5% is 0.05."""
    if isinstance(value, str) and value.strip().endswith("%"):
        try:
            return float(value.strip()[:-1]) / 100
        except ValueError:
            return value
    return value


Fraction = Annotated[float, BeforeValidator(_fraction), Field(gt=0.0, le=1.0)]


class AccountSettings(Config):
    """Rules of an account, as a file of limits names them; fractions of the initial capital."""

    preset: str | None = None
    profit_target: Annotated[float, BeforeValidator(_fraction), Field(gt=0.0, le=100.0)] | None = None
    daily_loss: Fraction | None = None
    maximum_loss: Fraction | None = None
    trailing: Literal["static", "close", "intrabar"] = "static"
    minimum_days: int = Field(default=0, ge=0)
    maximum_days: int | None = Field(default=None, ge=1)
    consistency: Fraction | None = None

    def rules(self) -> AccountRules:
        """The rules, those of the preset where a file does not say otherwise."""
        from stresslab.metrics.account_rules import AccountRules

        if self.preset is not None and self.preset not in PRESETS:
            raise InputError(f"preset={self.preset!r} is not known{did_you_mean(self.preset, list(PRESETS))}")
        given = self.model_dump(exclude_unset=True, exclude={"preset"})
        return AccountRules(**dict(PRESETS[self.preset] if self.preset else {}) | given)


class LimitSettings(Config):
    """The content of a file of limits."""

    universes: Literal["generated", "without", "supported"] = "generated"
    limits: tuple[str, ...] = ()
    account: AccountSettings | None = None

    @classmethod
    def read(cls, given: str | Mapping[str, Any]) -> LimitSettings:
        """The limits in a file, of a preset's name, or as they were recorded.

        Raises:
            InputError: one line with the first that cannot be meant.
        """
        if isinstance(given, str) and given in PRESETS:
            return cls.of({"account": {"preset": given}}, given)
        if not isinstance(given, (str, Mapping)):
            raise InputError(f"limits={given!r} is not a file; give a YAML file, a preset, or a mapping of limits")
        content = read_settings_file(given) if isinstance(given, str) else dict(given)
        source = str(given) if isinstance(given, str) else "limits"
        account = content.get("account")
        if isinstance(account, str):
            content["account"] = account = {"preset": account}
        if isinstance(account, Mapping):  # so that the error names the key inside
            content["account"] = AccountSettings.of(
                {str(key).replace("-", "_"): one for key, one in account.items()}, f"{source}: account"
            )
        found = cls.of(content, source)
        if not found.limits and found.account is None:
            raise InputError(f"{source} holds no limits; write `limits: [P(loss) <= 30%]`, or rules under `account`")
        found.plan()
        return found

    def plan(self) -> LimitPlan:
        """What a strategy is held to; with a target, P(pass) is reported beside the limits."""
        from stresslab.analysis.limit_rules import Limit
        from stresslab.analysis.limits import LimitPlan

        rules = None if self.account is None else self.account.rules()
        return LimitPlan(tuple(Limit.parse(text) for text in self.limits), rules, self.universes)
