"""The typed result of a list of trades: what it shows, what it cannot, and how large it could be traded."""

from __future__ import annotations

from pydantic import Field

from stresslab.analysis.result_decisions import AtSize, LargestSize, LimitStudy
from stresslab.analysis.result_models import Count, Estimate, Model, Number, Share


class ListedTrades(Model):
    """The list itself."""

    form: str
    """whose export it is"""
    trades: Count
    """within the bars"""
    left_out: Count
    """outside the bars"""
    instant: Count
    """that begin and end at one open or close, over which bars say nothing"""
    first: str
    """first entry"""
    last: str
    """last exit"""
    bars: Count
    """from the first entry to the last exit"""
    capital: float
    """of the account at the beginning"""
    capital_assumed: bool
    """whether it is the least that pays for every position in full"""
    point_value: float
    """of a point of price in one unit"""
    total_return: float
    """of the account that the list implies"""
    win_rate: float
    profit_factor: Number
    mean_return: float
    """of a trade, over the account at its entry"""
    worst_return: float
    exposure: float
    """share of bars with a position"""
    mean_bars: float
    """held"""
    costs: float
    """of a trade, over the account, that the list's profits hold"""
    fills_inside: Number
    """share of fills whose price lies within their bar; null without prices"""


class FixedEdge(Model):
    """What its times gained on the real bars, its positions held fixed."""

    p_value: Number
    """share of permuted bars on which the same positions time as well; 1 where nothing was timed"""
    permutations: Count
    sharpe: Estimate
    """annual Sharpe ratio of timing beyond chance, with its 90% interval"""
    probability: Number
    """that the edge of the times is real, as the best of so many trials; null where nothing was timed"""
    supported: Estimate
    """the ratio that the bars support after selection, with its 90% interval"""
    trials: float
    trials_assumed: bool


class MatchedExposure(Model):
    """The same holding times, directions and sizes at times that know nothing."""

    own: float
    """what the list's positions earned on the bars before costs, opens and closes alone"""
    real: Estimate
    """what they earn at other times of the same bars: the mean, and 5% and 95% of them"""
    real_as_good: float
    """share of other times that earn as much"""
    permuted: Estimate
    """what they earn on permuted bars: the mean, and 5% and 95% of them"""


class MatchedUniverses(Model):
    """The same in universes, with costs."""

    generator: str
    universes: Count
    horizon: Count
    loss: Share
    median_return: float
    low_return: float
    """5% of universes earn less"""
    high_return: float
    """5% of universes earn more"""
    deep: Share
    """P(drawdown > 20%)"""
    median_drawdown: float
    own: Number
    """what the list earned in as many bars, on average"""


class TradeSide(Model):
    """Sizes of accounts of resampled trades."""

    rows: tuple[AtSize, ...]
    largest: LargestSize
    kelly: Estimate


class TradeStudy(Model):
    """Everything that a list of trades and the bars of its market say."""

    listed: ListedTrades
    edge: FixedEdge
    matched: MatchedExposure
    universes: MatchedUniverses
    limit: str
    """by which the largest size is chosen"""
    depth: float
    accounts: Count
    """of resampled trades"""
    horizon: Count
    """bars of these"""
    block: float
    """mean length of a block, trades"""
    sides: dict[str, TradeSide]
    """listed; untimed, where a trade earns what it earns at other times; supported, by what the bars support"""
    judged: str
    limits: LimitStudy | None = None
    defects: tuple[str, ...] = ()
    """of the resampled accounts"""
    notices: tuple[str, ...] = Field(default=())
