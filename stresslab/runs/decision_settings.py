"""The settings of what follows a verdict, each declared once: sizes, limits, tracking."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pydantic import field_validator

from stresslab.core.errors import InputError
from stresslab.runs.setting import COMMON, COSTS, RUN, Config, setting

if TYPE_CHECKING:
    from stresslab.analysis.sizes import SizePlan

SIZE_LIMIT = "P(drawdown > 20%) <= 5%"
"""The limit that a size is chosen by where none is given."""


class RunSettings(Config):
    """What every command on a stored run can be given."""

    run: str = setting(COMMON, "RUN", "Folder of a run, as `stresslab run` printed it.")
    strategy: tuple[str, ...] = setting(COMMON, "NAME", "Only this strategy; may be given again.", ())
    out: str | None = setting(
        COMMON, "DIR", "Folder to write the page to; by default `report` in the run's own.", None, decides=False
    )
    model: str | None = setting(RUN, "MODEL", "Where Kronos' weights are now, if they were moved.", None, decides=False)
    jobs: int = setting(RUN, "N", "Worker processes.", 1, decides=False, ge=1)
    keep_accounts: bool = setting(
        RUN, "", "Write the accounts bar by bar too, from which every figure follows.", False, decides=False
    )


class SizeSettings(RunSettings):
    """The settings of `stresslab size`."""

    limit: str = setting(COMMON, "LIMIT", "On a drawdown, that the largest size shall keep.", SIZE_LIMIT)
    borrow_rate: float = setting(
        COSTS, "FRACTION", "Interest a year on what is held beyond the equity.", 0.06, ge=0.0, lt=10.0
    )
    maintenance: float = setting(
        COSTS, "FRACTION", "Equity over what is held, inside a bar, at which the lender closes the position.", 0.25,
        ge=0.0, lt=1.0,
    )  # fmt: skip
    max_leverage: float | None = setting(
        COSTS, "MULTIPLE", "Most that may be held over equity; no limit but margin by default.", None, gt=0.0, le=1000.0
    )
    max_size: float = setting(COSTS, "MULTIPLE", "Largest size that is looked at.", 10.0, gt=0.0, le=1000.0)

    def plan(self) -> SizePlan:
        """What sizes are asked for."""
        from stresslab.analysis.limit_rules import Limit
        from stresslab.analysis.sizes import SizePlan

        most = math.inf if self.max_leverage is None else self.max_leverage
        plan = SizePlan(
            Limit.parse(self.limit),
            most=self.max_size,
            borrow_rate=self.borrow_rate,
            maintenance=self.maintenance,
            max_leverage=most,
        )
        return plan.up_to_most()


class HeldSettings(RunSettings):
    """The settings of `stresslab limits`."""

    limits_file: str = setting(COMMON, "LIMITS", "YAML file of limits, or the name of a preset.")
    fail_on: tuple[str, ...] = setting(
        RUN, "limits", "With limits: exit with 4 unless every one is shown to be kept.", (), decides=False
    )

    @field_validator("fail_on")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if name != "limits":
                raise InputError(f"fail_on={name!r} is not known here; write limits")
        return names


class TrackSettings(Config):
    """The settings of `stresslab track`."""

    runs: tuple[str, ...] = setting(COMMON, "RUN", "Folders of runs, as `stresslab run` printed them.", min_length=1)
    data: str | None = setting(
        COMMON, "SOURCE ...", "Bars up to now, for all runs or one source for each; the run's own source by default.",
        None,
    )  # fmt: skip
    equity: str | None = setting(
        COMMON, "FILE", "CSV with the account's own equity over time, in place of the strategy's result.", None
    )
    strategy: tuple[str, ...] = setting(COMMON, "NAME", "Only this strategy; may be given again.", ())
    out: str | None = setting(
        COMMON, "DIR", "Folder that keeps page, state and history; by default `tracking` beside the run.", None,
        decides=False,
    )  # fmt: skip
    model: str | None = setting(RUN, "MODEL", "Where Kronos' weights are now, if they were moved.", None, decides=False)
    jobs: int = setting(RUN, "N", "Worker processes.", 1, decides=False, ge=1)
