"""The typed content of `result.json` for one strategy: figures with intervals, verdict, edge, distribution and luck.

Only shapes: studies compute the figures, the report says how they read. Models are built from keyword arguments, plain
JSON, or any object with the same attributes, and do not change. What JSON has no number for (NaN, infinity) is None.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from stresslab.metrics.distribution import Interval, with_later
from stresslab.metrics.measures import MEASURES, later

Label = Literal["robust", "fragile", "lucky", "losing", "inconclusive"]
LABELS: tuple[Label, ...] = get_args(Label)
EdgeLabel = Literal["yes", "no", "unclear"]
REQUIRED = [name for name, row in MEASURES.items() if not row.added]
EDGES: tuple[EdgeLabel, ...] = get_args(EdgeLabel)


def _finite(value: Any) -> Any:
    """None for NaN and infinities; everything else as it is."""
    try:
        return value if value is None or math.isfinite(value) else None
    except TypeError:
        return value


Number = Annotated[float | None, BeforeValidator(_finite)]
"""A number, None where it is undefined or unbounded."""
Count = Annotated[int, Field(ge=0)]
Ends = Annotated[
    tuple[Number, Number],
    Field(description="both ends of a 95% interval; null where so few universes cannot bound it"),
]


def _with_every_measure(values: dict[str, Any]) -> dict[str, Any]:
    missing = [name for name in MEASURES if name not in values]
    if missing:
        raise ValueError(f"there is no {', '.join(missing)}")
    return values


MeasureValues = Annotated[
    dict[str, Number],
    BeforeValidator(lambda values: later(values) | values if isinstance(values, dict) else values),
    AfterValidator(_with_every_measure),
    Field(
        json_schema_extra={
            "properties": {
                name: {"type": ["number", "null"], "description": row.description} for name, row in MEASURES.items()
            },
            "required": REQUIRED,
        }
    ),
]
"""Each measure of one real series by name."""


class Model(BaseModel):
    """The base of all results: frozen, built from attributes too; fields of later versions are passed over."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", from_attributes=True, use_attribute_docstrings=True, ser_json_inf_nan="constants"
    )

    def to_dict(self) -> dict[str, Any]:
        """This model as plain JSON."""
        return self.model_dump(mode="json")

    @classmethod
    def of(cls, found: Any) -> Self:
        """The model of a mapping, or of an object with the same attributes.

        Raises:
            pydantic.ValidationError: a field is missing or out of range.
        """
        return cls.model_validate(found)


class Sparse(Model):
    """A model whose fields are absent from JSON where they are None."""

    @model_serializer(mode="wrap")
    def _present(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in handler(self).items() if value is not None}


class Estimate(Model):
    """An estimate with its 95% interval."""

    value: Number
    low: Number
    high: Number


class Share(Estimate):
    """A share of universes with its 95% Wilson interval."""

    value: float = Field(ge=0, le=1)
    low: float = Field(ge=0, le=1)
    high: float = Field(ge=0, le=1)


Depths = Annotated[dict[str, Share], Field(description="of a drawdown deeper than the key, a fraction")]


class ReturnFigures(Model):
    """The returns under some condition."""

    probability_of_loss: Share
    expected_shortfall_97_5: Estimate
    median_return: Number


class RiskFigures(ReturnFigures):
    """How bad it gets under some condition."""

    universes: Count
    probability_of_drawdown: Depths
    time_under_water: Number = None
    """of the median universe"""
    ruined: Share | None = None

    def drawdown_beyond(self, depth: float) -> Share:
        """How probable a drawdown deeper than this is; depths are those that were asked, such as 0.2."""
        return self.probability_of_drawdown[str(depth)]


class Check(Model):
    """One question of the verdict or of the edge, and its answer."""

    name: str
    """the key of the question"""
    value: Number
    """null where it was not assessed"""
    low: Number
    """lower end of its interval, null without one"""
    high: Number
    """upper end"""
    threshold: Number
    """what it was compared with"""
    passed: bool | None
    """null where the evidence does not decide"""
    note: str
    """the answer in words"""


def check(
    name: str, threshold: float | None, passed: bool | None, note: str, found: Interval | float | None = None
) -> Check:
    """A check of an estimate with its interval, of a bare number, or of nothing that could be assessed."""
    if isinstance(found, Interval):
        ends: dict[str, float | None] = {"value": found.value, "low": found.low, "high": found.high}
    else:
        ends = {"value": found, "low": None, "high": None}
    return Check(name=name, threshold=threshold, passed=passed, note=note, **ends)


class Verdict(Model):
    """The label and what led to it."""

    label: Label
    reasons: tuple[str, ...] = Field(min_length=1)
    """sentences, the deciding one first"""
    checks: tuple[Check, ...]
    """in the order in which they are asked"""
    universes_needed: int | None = None
    """how many universes would settle an inconclusive verdict, if any number would"""


class EdgeEvidence(Model):
    """An estimate of the annual timing Sharpe ratio."""

    sharpe: float
    error: float
    """its standard error"""


class EdgeSpells(Model):
    """That an edge is worth more at some times than at others."""

    variance: float = 1.0
    """long-run variance of timing gains over their variance, at the estimate"""
    bars: float = 1.0
    """of the shortest spells that are seen in it"""


class Posterior(Model):
    """What the real bars leave possible of the annual timing Sharpe ratio."""

    probability: float = Field(ge=0, le=1)
    """that the edge is real: the ratio is above 0"""
    mean: float
    sd: float
    low: float
    """of the central 90% credible interval"""
    high: float
    trials: float = Field(ge=1)
    """that the estimate was judged as the best of"""
    null: float = Field(default=0.0, ge=0, le=1)
    """probability that it is one of the further trials, which have no edge"""
    prior_sd: float
    """standard deviation of the prior, whose mean is 0"""
    evidence: tuple[EdgeEvidence, ...] = ()
    """what it was made from, the selected estimate first"""
    inflation: float = 1.0
    """standard error at the estimate over that without an edge"""
    spells: EdgeSpells = EdgeSpells()
    """that it comes in"""


class TrialCount(Model):
    """How many variants the strategy is the best of."""

    count: float = Field(ge=1)
    """an effective number"""
    assumed: bool
    """whether it was assumed, since none were reported"""


class FreshEstimate(Model):
    """Timing on fresh bars."""

    sharpe: float
    error: float
    """standard error of the annual ratio"""
    p_value: float
    """one-sided, of one look"""
    bars: Count


class FreshBars(Model):
    """Bars after a strategy was frozen."""

    timing: FreshEstimate | None
    """null where they are too few or nothing was timed"""
    since: str
    """the last bar that had been seen"""
    looks: int = Field(ge=1)
    """this one included"""
    p_value: float
    """after so many looks"""


class Losses(RiskFigures):
    """How bad it gets in universes of one kind of edge."""

    generators: tuple[float, float]
    """least and greatest P(loss) over this generator and the others"""


class PlantedLosses(Model):
    """The same universes without an edge and with the one that the real bars support."""

    without: Losses
    """timing worth nothing"""
    supported: Losses
    """each universe with an edge of its own, from the posterior"""
    generators: tuple[str, ...]
    """the other generators"""
    own_timing: Number
    """annual timing Sharpe ratio of the generator's own universes, which is taken out of both"""
    shortest_robust_horizon: int | None
    """bars from which it could be called robust; null where no horizon is long enough"""


class Edge(Model):
    """The label of edge and what led to it."""

    label: EdgeLabel
    reasons: tuple[str, ...] = Field(min_length=1)
    """sentences, the deciding one first"""
    checks: tuple[Check, ...]
    """of the posterior, the real bars, fresh bars, the real origins and the universes"""
    posterior: Posterior | None = None
    """null where nothing was timed, or there are no real bars to go by"""
    required: float = 0.95
    """probability from which an edge is claimed"""
    trials: TrialCount = TrialCount(count=1.0, assumed=False)
    fresh: FreshBars | None = None
    """null where the strategy was not frozen"""
    years_to_find_out: Number = None
    """fresh years that would settle an edge as large as it seems; null where none would"""
    losses: PlantedLosses | None = None
    """null where nothing can be planted"""


class Distribution(Model):
    """One measure over universes; null where it is not defined."""

    mean: Number
    std: Number
    min: Number
    max: Number
    quantiles: dict[str, Number]
    """by level"""
    value_at_risk_95: Number
    """a positive loss; null for measures whose low tail is no loss in capital"""
    value_at_risk_99: Number
    """a positive loss; null for measures whose low tail is no loss in capital"""
    expected_shortfall_97_5: Number
    """a positive loss; null for measures whose low tail is no loss in capital"""
    undefined: Number = None
    """share of universes in which the measure is not defined"""

    def quantile(self, level: float) -> float | None:
        """The quantile at a level that was kept, such as 0.05."""
        return self.quantiles[str(level)]

    @property
    def median(self) -> float | None:
        """The quantile at 0.5."""
        return self.quantile(0.5)


class UniverseSummary(Model):
    """The distribution over all universes."""

    count: int = Field(ge=1)
    probability_of_loss: Share
    never_traded: Share | None = None
    """share of universes without any position"""
    ruined: Share | None = None
    """share of universes in which all equity was lost"""
    measures: Annotated[
        dict[str, Distribution],
        AfterValidator(_with_every_measure),
        Field(json_schema_extra={"required": REQUIRED}),
    ]
    """by name of the measure"""
    intervals: dict[str, Ends]
    """by path into measures, such as total_return.quantiles.0.05"""
    probability_of_drawdown: Depths

    @model_validator(mode="before")
    @classmethod
    def _with_later(cls, section: Any) -> Any:
        return with_later(section)

    def of_measure(self, name: str) -> Distribution:
        """The distribution of one measure."""
        return self.measures[name]

    def interval(self, measure: str, path: str) -> tuple[float | None, float | None]:
        """Both ends of the interval of one figure of a measure, such as ("total_return", "quantiles.0.05")."""
        return self.intervals[f"{measure}.{path}"]

    def drawdown_beyond(self, depth: float) -> Share:
        """How probable a drawdown deeper than this is; depths are those that were asked, such as 0.2."""
        return self.probability_of_drawdown[str(depth)]


class Luck(Model):
    """Where the real outcome falls among the universes; all null without one."""

    better: Share | None = None
    """share of universes than which the real total return is strictly higher"""
    equal: Share | None = None
    """share to which it is equal"""
    worse: Share | None = None
    """share than which it is strictly lower"""
    realised_percentile: Number = None
    """rank of the real total return, half of the ties counted"""
    realised_percentile_interval: Ends | None = None
    percentiles: dict[str, Number] = Field(default_factory=dict)
    """of every measure"""


class LookAhead(Model):
    """What the look-ahead check covered and found."""

    found: tuple[str, ...]
    """what looks ahead"""
    inconclusive: bool
    bars: Count
    decisions: Count
    cuts: Count
    futures: Count = 0
    """other futures that replaced the later bars"""
    seam: bool | None = None
    checked: float = 0.0
    """share of the decisions right behind which later bars were taken away or replaced"""
    chance: str = ""
    """why chance may explain a difference, if it may"""
    covered: str = ""
    """what was covered, in words"""
