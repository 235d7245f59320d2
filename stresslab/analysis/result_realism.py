"""The typed content of the realism section of `result.json`: the gate's checks and the evidence behind them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from stresslab.analysis.result_models import Count, Estimate, Model, Number, Sparse

RealismLabel = Literal["trusted", "no fault found", "not trusted"]


class GateCheck(Model):
    """One question of the realism gate."""

    name: str
    value: Number
    low: Number
    high: Number
    least: Number
    """lower end of what is acceptable"""
    most: Number
    """upper end of what is acceptable"""
    outcome: Literal["passed", "open", "failed", "not assessable"]
    reason: str


class Exceedances(Model):
    """Outcomes beyond a value at risk, and what two tests say of them."""

    probability: Number
    count: Count
    expected: Number
    kupiec: Number
    christoffersen: Number


class Calibration(Model):
    """How one quantity of the universes compares with what followed the origins."""

    ranks: tuple[float, ...]
    coverage: dict[str, Estimate | None]
    """by nominal coverage; null where so few universes have no such interval"""
    coverage_calm: Estimate | None
    coverage_turbulent: Estimate | None
    crps: Number
    tail_crps: Number
    value_at_risk: dict[str, Exceedances | None]
    """by probability"""


class Lags(Model):
    """A figure at each lag."""

    lags: tuple[int, ...]
    universes: tuple[Number, ...]
    real: tuple[Number, ...]


class StylizedFact(Model):
    """A stylized fact of the universes, and that of what followed with its 95% interval."""

    universes: Number
    real: Number
    real_low: Number
    real_high: Number


class Growth(StylizedFact):
    """Mean price at the horizon over the last price, by where that lay against the past."""

    last_price: str
    origins: Count


class RoundTrip(Model):
    """What turning bars into tokens and back does to them."""

    volatility_ratio: Number
    lag_one: Number
    lag_one_real: Number
    bars: Number


class Cuts(Model):
    """What temperature, top-p and top-k do to universes, against the same random numbers without them."""

    settings: dict[str, Any]
    origins: Count
    volatility_ratio: Estimate
    tail_ratio: Estimate


class Diagnostics(Sparse):
    """What the generator says of itself."""

    round_trip: RoundTrip | None = None
    cuts: Cuts | None = None


class Baseline(Model):
    """CRPS over that of another generator, at the origins that both have."""

    origins: Count
    crps_ratio: dict[str, Estimate]


class RealismSection(Model):
    """Whether the universes behave like this market."""

    assessed: Literal[True] = True
    label: RealismLabel
    reasons: tuple[str, ...]
    checks: tuple[GateCheck, ...]
    """of the gate"""
    origins: Count
    horizon: Count
    universes: Count
    start: str | None
    end: str | None
    calibration: dict[str, Calibration | Number] = Field(default_factory=dict)
    """by quantity; energy_score is that of whole paths"""
    facts: dict[str, StylizedFact | Lags] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()
    """worth knowing, deciding nothing"""
    growth: tuple[Growth, ...] = ()
    diagnostics: Diagnostics = Diagnostics()
    baselines: dict[str, Baseline] = Field(default_factory=dict)

    @property
    def quantities(self) -> dict[str, Calibration]:
        """The calibration by quantity."""
        return {name: row for name, row in self.calibration.items() if isinstance(row, Calibration)}

    @property
    def energy_score(self) -> float | None:
        """Of whole paths; None where it was not computed."""
        found = self.calibration.get("energy_score")
        return None if isinstance(found, Calibration) else found

    @property
    def stylized_facts(self) -> dict[str, StylizedFact]:
        """The stylized facts by name."""
        return {name: row for name, row in self.facts.items() if isinstance(row, StylizedFact)}

    @property
    def clustering_by_lag(self) -> Lags | None:
        """Autocorrelation of absolute returns at each lag, where there is one."""
        return next((row for row in self.facts.values() if isinstance(row, Lags)), None)


class NotAssessed(Model):
    """Realism was left out."""

    assessed: Literal[False] = False
