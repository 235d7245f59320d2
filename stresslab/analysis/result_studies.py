"""The typed content of the studies in `result.json`: what was asked of a strategy beyond its distribution.

A study that was not asked, or not answered, is absent. A new study adds a model and one field of `StrategyStudies`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from stresslab.analysis.result_backtest import Period, TearSheet
from stresslab.analysis.result_decisions import LimitStudy, SizeStudy
from stresslab.analysis.result_models import (
    Count,
    Depths,
    Ends,
    Estimate,
    Model,
    Number,
    ReturnFigures,
    RiskFigures,
    Share,
    Sparse,
)
from stresslab.analysis.result_selection import Ledger, Reoptimisation, Selection
from stresslab.analysis.result_symbols import Symbols


class Difference(Model):
    """What one strategy returns beyond another in the same universe."""

    first: str
    second: str
    mean: Estimate
    better: Estimate
    """share of universes in which the first returns strictly more"""
    equal: Estimate
    """share in which both return the same"""
    worse: Estimate
    """share in which the first returns strictly less"""


class Timing(Model):
    """What timing adds to a steady exposure, over the horizon and before costs."""

    total: Estimate
    sharpe: Estimate
    """annual Sharpe ratio of timing"""
    p_value: Number
    timed: bool
    """whether exposure varied at all"""
    paths: Count


class Fragility(Model):
    """How bad it gets, and against buy and hold in the same universe."""

    as_generated: RiskFigures
    drift_neutral: RiskFigures
    against_buy_and_hold: Difference


class RandomTiming(Model):
    """What its positions earn in their own universe and in another, before costs."""

    own: ReturnFigures
    random: ReturnFigures
    difference: Difference


class ErrorPart(Model):
    """One part of a figure's error."""

    name: str
    low: Number
    high: Number
    count: Count
    note: str


class ErrorBudget(Model):
    """P(loss) with its error in parts."""

    value: Number
    parts: tuple[ErrorPart, ...]
    """chance first"""
    widest: str


class AtCosts(RiskFigures):
    """At a multiple of the costs of trading and borrowing."""

    factor: float = Field(ge=0)


class Moved(Model):
    """A parameter at another value."""

    parameter: str
    value: Any


class MovedFigures(RiskFigures, Moved):
    """With one parameter moved."""


class ParameterSensitivity(Model):
    """Each parameter moved down and up, the others as they are."""

    as_given: RiskFigures
    moved: tuple[MovedFigures, ...]
    """by parameter"""
    refused: tuple[Moved, ...]
    """moves that the strategy refuses"""


class GeneratorSetting(Model):
    """A setting of the generator."""

    temperature: float = Field(gt=0)
    top_p: float = Field(gt=0, le=1)
    context: int = Field(ge=1)
    own: bool
    """whether it is the run's"""


class AtSetting(RiskFigures, GeneratorSetting):
    """Under a setting of the generator."""


class Horizon(Model):
    """Losses by the length of the horizon."""

    universes: Count
    losing: tuple[Count, ...]
    """universes below the initial capital after each bar, from none on"""


class ShockFigures(RiskFigures):
    """A shock applied to the universes."""

    name: str
    label: str


class Recovery(Model):
    """How long accounts take to be back at their value before a shock."""

    recovered: Share
    """share that are back within the horizon"""
    median_bars: Number
    """after the shock's last bar; null where fewer than half are back"""


class WhatIfRow(RiskFigures):
    """The figures under a condition, or after a shock that the generator went on from."""

    kind: Literal["base", "condition", "shock", "crisis"]
    name: str
    """as it was asked for"""
    label: str
    first: Count | None = None
    """first bar of the shock, from 1"""
    last: Count | None = None
    recovery: Recovery | None = None
    base_recovery: Recovery | None = None
    """of the base case from the same bars on"""
    probability: Share | None = None
    """of the condition under the generator"""
    sampled: Count | None = None
    """universes that were looked at for it"""


class RareCondition(Model):
    """A condition that too few universes meet to judge a strategy in them."""

    name: str
    probability: Share
    sampled: Count
    met: Count


class WhatIf(Model):
    """What if something happened: the base case, conditions, shocks and crises in the same figures."""

    rows: tuple[WhatIfRow, ...]
    """the base case first"""
    too_rare: tuple[RareCondition, ...] = ()


class ReverseStress(Model):
    """A kind of event among the worst 5% of the universes."""

    name: str
    meaning: str
    of_worst: Number
    """its share of the worst universes"""
    of_universes: Estimate
    """its share of all universes"""
    broken: Estimate
    """share of its universes that are among the worst"""
    mean_return: Number
    representatives: tuple[int, ...]
    """numbers of its most typical universes"""


class AlternativeGenerator(RiskFigures):
    """The test in universes of another generator."""

    name: str
    label: str
    keeps: str
    """what of the market its universes keep"""
    lacks: str
    own_drift: bool
    """false where its drift was taken out"""
    timing: Timing
    against_buy_and_hold: Difference


class Fold(Model):
    """The test from one date."""

    origin: str
    trend: Literal["up", "down"]
    volatility: Literal["calm", "turbulent"]
    in_sample: bool | None
    """null for a generator that was not trained"""
    universes: Count
    probability_of_loss: Share
    probability_of_drawdown: Depths
    expected_shortfall_97_5: Estimate
    median_return: Number
    median_interval: Ends
    quantiles: dict[str, Number]
    """of the total return, by level"""
    realised_return: Number
    realised_percentile: Estimate

    def quantile(self, level: float) -> float | None:
        """The quantile of the total return at a level that was kept."""
        return self.quantiles[str(level)]

    def drawdown_beyond(self, depth: float) -> Share:
        """How probable a drawdown deeper than this is; depths are those that were asked, such as 0.2."""
        return self.probability_of_drawdown[str(depth)]


class ChainedMeasure(Model):
    """One measure over chained paths."""

    quantiles: dict[str, Number]
    """by level"""
    values: tuple[float, ...]
    """of every path, in order"""
    real: Number
    real_percentile: Estimate

    def quantile(self, level: float) -> float | None:
        """The quantile at a level that was kept."""
        return self.quantiles[str(level)]


class ChainedPaths(Model):
    """One universe sampled for each window and joined end to end, many times."""

    paths: Count
    windows: Count
    bars: Count
    probability_of_loss: Share
    total_return: ChainedMeasure
    max_drawdown: ChainedMeasure


class WalkForward(Model):
    """The test from other dates."""

    origins: tuple[Fold, ...]
    """in time"""
    effective: Number
    """how many independent origins they are worth"""
    timing: Timing
    chained_paths: ChainedPaths


class StrategyStudies(Sparse):
    """What else was asked of a strategy; each is there only where it was asked and answered."""

    periods: tuple[Period, ...] | None = None
    """returns on the real bars before the origin"""
    tear_sheet: TearSheet | None = None
    """of the account on the real bars before the origin"""
    horizon: Horizon | None = None
    fragility: Fragility | None = None
    random_timing: RandomTiming | None = None
    costs: tuple[AtCosts, ...] | None = None
    """at multiples of the costs of trading and borrowing"""
    parameters: ParameterSensitivity | None = None
    shocks: tuple[ShockFigures, ...] | None = None
    what_if: WhatIf | None = None
    reverse_stress: tuple[ReverseStress, ...] | None = None
    """the worst 5% of the universes by what happened in them"""
    error_budget: ErrorBudget | None = None
    symbols: Symbols | None = None
    alternative_generators: tuple[AlternativeGenerator, ...] | None = None
    """the run's own universes first"""
    generator_sweep: tuple[AtSetting, ...] | None = None
    """over settings of the generator"""
    walk_forward: WalkForward | None = None
    sizes: SizeStudy | None = None
    limits: LimitStudy | None = None

    def with_answers(self, answers: dict[str, Any]) -> StrategyStudies:
        """These and further answers, by name of the study; plain JSON or models."""
        return type(self).of({name: getattr(self, name) for name in type(self).model_fields} | answers)


class SettingRealism(GeneratorSetting):
    """How the universes of a setting compare with what followed."""

    crps_over_own: Number
    crps_error: Number
    coverage_50: Number
    coverage_90: Number
    volatility_ratio: Number


class GeneratorSweep(Model):
    """What settings of the generator do to realism; null where there are too few origins."""

    origins: Count
    horizon: Count
    universes: Count
    settings: tuple[SettingRealism, ...]
    """in the order of the strategies' rows"""


Correlations = Annotated[dict[str, dict[str, Number]], Field(description="of the total return over universes")]


class RunStudies(Sparse):
    """What is known of all strategies of a run together."""

    pairs: tuple[Difference, ...] = ()
    correlations: Correlations = Field(default_factory=dict)
    selection: Selection | None = None
    ledger: Ledger | None = None
    reoptimisation: Reoptimisation | None = None
    generator_sweep: GeneratorSweep | None = None
