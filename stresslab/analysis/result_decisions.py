"""The typed results of what follows a verdict: sizes, limits, tracking."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from stresslab.analysis.result_models import Count, Estimate, Model, Number, Share


class AtSize(Model):
    """What a size brings over the horizon."""

    size: float
    """multiple of the strategy's own"""
    growth: Number
    """mean log growth a year; null where a universe loses all"""
    median_return: float
    loss: Share
    drawdown: Share
    """deeper than the limit's depth, or a margin call"""
    ruin: Share
    margin_call: Share
    """the lender closes the position, or all is lost inside a bar"""


class LargestSize(Model):
    """The largest size that keeps the limit, with the sizes at which its interval's ends do."""

    size: float
    low: float
    high: float
    limited: bool
    """whether some size looked at breaks it"""


class SizeSide(Model):
    """Sizes in universes of one kind of edge."""

    rows: tuple[AtSize, ...]
    largest: LargestSize
    kelly: Estimate
    """size of largest growth, with a bootstrap interval"""
    fractions: dict[str, AtSize] = Field(default_factory=dict)
    """full, half and quarter Kelly; empty where no size grows"""


class Credit(Model):
    """What leverage costs, and what the lender asks."""

    borrow_rate: float
    """interest a year on what is held beyond the equity"""
    maintenance: float
    """share of the value held that equity must exceed inside each bar"""
    max_leverage: Number
    """most that may be held over equity; null without a limit"""


class SizeStudy(Model):
    """How large one strategy can be traded."""

    limit: str
    """in words"""
    depth: float
    share: float
    universes: Count
    horizon: Count
    credit: Credit
    sides: dict[str, SizeSide]
    """generated; without and supported where an edge can be planted"""
    judged: str
    """the side to go by"""
    estimate_kelly: Number = None
    """best size if the record's own estimate were the truth; null where no edge can be planted"""
    haircut: Number = None
    """share of that which estimation error takes away"""


class LimitAnswer(Model):
    """One limit, and whether it is kept."""

    limit: str
    """as it was written"""
    bound: float
    estimate: Estimate
    passed: bool | None
    """null where the interval holds the bound"""
    sides: dict[str, Number]
    """the estimate in universes of each kind of edge"""


class RuleEnd(Model):
    """One way in which accounts that are held to rules end."""

    name: str
    """passed, the rule that is broken first, or open where the horizon ends first"""
    probability: Share
    days: Estimate | None
    """median of the days until then; null for open accounts"""


class LimitStudy(Model):
    """Whether one strategy keeps its limits."""

    universes: Count
    horizon: Count
    judged: str
    """the universes on which limits are judged: generated, without or supported"""
    answers: tuple[LimitAnswer, ...]
    rules: dict[str, Any] | None
    """of the account, in fractions of the initial capital and days"""
    outcomes: dict[str, tuple[RuleEnd, ...]] = Field(default_factory=dict)
    """by kind of edge; empty without rules"""

    @property
    def kept(self) -> bool:
        """Whether every limit is shown to be kept."""
        return all(one.passed is True for one in self.answers)


TrackedState = Literal["inside", "drifting", "outside"]


class MonitorState(Model):
    """What one monitor says after the last bar."""

    name: str
    alpha: float
    """probability that it raises a false alarm over the horizon, at most"""
    value: Number
    """return of the account or price, volatility of a bar, or evidence against the claim"""
    low: Number
    """lower edge of its band at the last bar; null for evidence"""
    high: Number
    """upper edge, or the evidence from which it is an alarm"""
    alarm: str | None
    """first bar at which it was outside"""
    drifting: bool


class Tracked(Model):
    """Where one strategy stands since its run."""

    name: str
    state: TrackedState
    since: str | None
    """first bar outside"""
    cause: Literal["edge", "market", "account"] | None
    """what the first alarm is about"""
    advice: str
    bars: Count
    """seen since the run"""
    horizon: Count
    first: str | None
    """first bar since the run"""
    last: str | None
    account_return: Number
    price_change: Number
    as_extreme: Number
    """share of universes whose account is at least as extreme over these bars (extreme rank length)"""
    claimed: Number
    """annual timing Sharpe ratio that is claimed; null where none is"""
    false_alarms: Number
    """probability of any alarm over the horizon while all is as the run said, at most; null before there are bars"""
    monitors: tuple[MonitorState, ...]
