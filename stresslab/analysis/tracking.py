"""Whether a strategy that is traded still behaves as its run said, and whether the market still does: two questions.

Six monitors share one probability of a false alarm over the whole horizon, however often one looks: account, price and
volatility against simultaneous bands, the account's returns against the edge that the run claims, and the size of the
market's moves against the universes', upwards and downwards. `runs.track_run` finds bars and accounts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from stresslab.analysis.result_decisions import Tracked
from stresslab.core.arrays import FloatArray
from stresslab.metrics.e_process import calibrated_threshold, e_process, first_crossing, probability_transform
from stresslab.metrics.global_envelope import GlobalEnvelope, envelope_p_value, scaled_envelope

ALPHA = 0.05
"""Probability that any monitor raises an alarm over the whole horizon while all is as the run said."""
SHARES: Mapping[str, float] = {
    "account": 0.2,
    "price": 0.15,
    "volatility": 0.15,
    "edge": 0.3,
    "calmer": 0.1,
    "wilder": 0.1,
}
"""How the monitors share it (Bonferroni)."""
WARNING = 5.0
"""A monitor drifts where it would raise an alarm at so many times its share."""
HALF_LIFE, SLOW = 20, 60
"""Bars in which the weight of a return in the volatility falls by half: about a month of days; and the slow one, in
which the sizes of moves are measured."""


@dataclass(frozen=True, eq=False)
class Reference:
    """What a run's universes say would follow.

    Attributes:
        closes: (T, N) closes over the last real one.
        equity: (T, N) accounts at each close, in units of the initial capital, with the edge that the run supports.
        claimed: (T, N) accounts with the edge that the run claims, the mean of what it supports; None where it claims
            none.
        past: (W,) log returns of the real bars before.
    """

    closes: FloatArray
    equity: FloatArray
    claimed: FloatArray | None
    past: FloatArray


@dataclass(frozen=True, eq=False)
class Live:
    """What did follow, t bars, at least one and at most T.

    Attributes:
        closes: (t,) closes over the last one before.
        equity: (t,) of the account, in units of what it was at that one.
    """

    closes: FloatArray
    equity: FloatArray


@dataclass(frozen=True, eq=False)
class Looked:
    """One monitor and what it saw.

    Attributes:
        name: a key of `SHARES`.
        alpha: probability that it raises a false alarm over the horizon, at most.
        values: (t,) what it watches: the path, or the evidence against the claim.
        low: (T,) lower edge of its band; None for evidence.
        high: (T,) upper edge, or the threshold of evidence throughout.
        alarm: first bar at which it is outside, from 0; None where it never is.
        drifting: whether it is close to that at the last bar.
    """

    name: str
    alpha: float
    values: FloatArray
    low: FloatArray | None
    high: FloatArray
    alarm: int | None
    drifting: bool


class Watch:
    """The monitors of one strategy, calibrated on its run's universes."""

    def __init__(self, reference: Reference, alpha: float = ALPHA) -> None:
        """Calibrate bands and thresholds.

        Args:
            reference: what the universes say.
            alpha: probability of a false alarm of all monitors over the horizon.
        """
        self.reference = reference
        self.alphas = {name: share * alpha for name, share in SHARES.items()}
        self.paths = self._paths(reference.equity, reference.closes)
        self._bands = {name: self._band(path, self.alphas[name]) for name, path in self.paths.items()}
        sizes = self._moves(reference.closes)
        self._sizes = np.sort(sizes, axis=None)
        own = probability_transform(sizes, self._sizes)
        self._thresholds = {
            name: self._threshold(e_process(own, direction), self.alphas[name])
            for name, direction in (("wilder", 1), ("calmer", -1))
        }
        self._gains: FloatArray | None = None
        if reference.claimed is not None:
            gains = _standardised(reference.claimed, reference.closes, reference.past)
            held = gains[gains != 0.0]
            if len(held):
                self._gains = np.sort(held)
                self._thresholds["edge"] = self._threshold(
                    e_process(_place_held(gains, self._gains), -1), self.alphas["edge"]
                )

    @property
    def level(self) -> float:
        """Probability of a false alarm over the horizon, at most; above `ALPHA` where universes are too few."""
        return float(sum(self._false_alarm(name) for name in (*self._bands, *self._thresholds)))

    def _false_alarm(self, name: str) -> float:
        """Probability that one monitor raises one, at most: what so many universes can tell, not what was asked."""
        if name in self._bands:
            return float(1.0 - self._bands[name][0].level)
        return float(max(self.alphas[name], 1.0 / (self.reference.closes.shape[1] + 1)))

    def _paths(self, equity: FloatArray, closes: FloatArray) -> dict[str, FloatArray]:
        """(t, n) logs of equity, price and volatility after each bar."""
        after = volatility_before(np.concatenate([closes, closes[-1:]]), self.reference.past)[1:]
        return {"account": _log(equity), "price": np.log(closes), "volatility": np.log(after)}

    def _moves(self, closes: FloatArray) -> FloatArray:
        """(t, n) size of each move over the slow volatility before it."""
        return np.abs(_log_returns(closes)) / volatility_before(closes, self.reference.past, SLOW)

    @staticmethod
    def _band(path: FloatArray, alpha: float) -> tuple[GlobalEnvelope, GlobalEnvelope]:
        return scaled_envelope(path, 1.0 - alpha), scaled_envelope(path, 1.0 - WARNING * alpha)

    @staticmethod
    def _threshold(wealth: FloatArray, alpha: float) -> tuple[float, float]:
        highest = wealth.max(axis=0)
        return calibrated_threshold(highest, alpha), calibrated_threshold(highest, WARNING * alpha)

    def look(self, live: Live) -> list[Looked]:
        """What each monitor says of t bars; the account's first."""
        found = []
        for name, path in self._paths(live.equity[:, None], live.closes[:, None]).items():
            path, (band, inner) = path[:, 0], self._bands[name]
            drifting = not inner.low[len(path) - 1] <= path[-1] <= inner.high[len(path) - 1]
            alarm = band.first_outside(path)
            found.append(Looked(name, self._false_alarm(name), path, band.low, band.high, alarm, drifting))
        places = probability_transform(self._moves(live.closes[:, None])[:, 0], self._sizes)
        evidence = {"wilder": e_process(places, 1), "calmer": e_process(places, -1)}
        if self._gains is not None:
            gains = _standardised(live.equity[:, None], live.closes[:, None], self.reference.past)[:, 0]
            evidence = {"edge": e_process(_place_held(gains, self._gains), -1)} | evidence
        for name, wealth in evidence.items():
            threshold, warning = self._thresholds[name]
            above = np.nextafter(threshold, np.inf) if threshold > 1.0 / self.alphas[name] else threshold
            alarm = first_crossing(wealth, 1.0 / above)
            drifting = bool(wealth[-1] >= warning)
            high = np.full(len(self.reference.closes), threshold)
            found.append(Looked(name, self._false_alarm(name), wealth, None, high, alarm, drifting))
        return found


ABOUT: Mapping[str, str] = {
    "account": "account", "edge": "edge", "price": "market", "volatility": "market", "calmer": "market",
    "wilder": "market",
}  # fmt: skip
"""What an alarm of each monitor is about."""
ADVICE: Mapping[str, str] = {
    "edge": "Cut its size or stop it, and judge it again on bars up to now.",
    "market": "Figures of the run no longer hold: run again up to now.",
    "account": "Check fills, costs, sizes and data, then run again.",
    "drifting": "Near the edge of what the run expects: change nothing yet, look again at the next bars.",
    "inside": "As the run expects: nothing to do.",
    "waiting": "No bars yet after {after}, the last that the run knew: nothing to say.",
    "over": "The horizon is over: run again up to now for a new fan.",
}


@dataclass(frozen=True)
class Stamps:
    """Time stamps of t live bars as text, and what is claimed of the strategy."""

    texts: list[str]
    claimed: float | None = None


def tracked(name: str, watch: Watch, live: Live, stamps: Stamps) -> Tracked:
    """Where a strategy stands: outside since the first alarm, drifting near one, or inside.

    Args:
        name: of the strategy.
        watch: its monitors.
        live: t bars.
        stamps: of these.
    """
    seen, bars, horizon = watch.look(live), len(live.closes), len(watch.reference.closes)
    alarms = sorted((one.alarm, ABOUT[one.name] == "account", one.name) for one in seen if one.alarm is not None)
    cause = ABOUT[alarms[0][2]] if alarms else None
    state = "outside" if alarms else "drifting" if any(one.drifting for one in seen) else "inside"
    advice = ADVICE[cause or state]
    if bars == horizon:
        advice = f"{advice} {ADVICE['over']}" if state != "inside" else ADVICE["over"]
    return Tracked.of(
        {
            "name": name,
            "state": state,
            "since": stamps.texts[alarms[0][0]] if alarms else None,
            "cause": cause,
            "advice": advice,
            "bars": bars,
            "horizon": horizon,
            "first": stamps.texts[0],
            "last": stamps.texts[-1],
            "account_return": live.equity[-1] - 1.0,
            "price_change": live.closes[-1] - 1.0,
            "as_extreme": envelope_p_value(_log(live.equity), _log(watch.reference.equity)),
            "claimed": stamps.claimed,
            "false_alarms": watch.level,
            "monitors": [_monitor(one, bars, stamps) for one in seen],
        }
    )


def waiting(name: str, horizon: int, claimed: float | None, after: str) -> Tracked:
    """Where a strategy stands before there are bars: nothing is watched, so no universes are needed yet.

    Args:
        name: of the strategy.
        horizon: bars that are waited for.
        claimed: annual timing Sharpe ratio; None where none is claimed.
        after: time stamp of the last bar that the run knew.
    """
    advice = ADVICE["waiting"].format(after=after)
    return Tracked(
        name=name, state="inside", since=None, cause=None, advice=advice, bars=0, horizon=horizon,
        first=None, last=None, account_return=None, price_change=None, as_extreme=None, claimed=claimed,
        false_alarms=None, monitors=(),
    )  # fmt: skip


def _monitor(one: Looked, bars: int, stamps: Stamps) -> dict[str, object]:
    return {
        "name": one.name,
        "alpha": one.alpha,
        "value": _shown(one.name, one.values[-1]),
        "low": None if one.low is None else _shown(one.name, one.low[bars - 1]),
        "high": _shown(one.name, one.high[bars - 1]),
        "alarm": None if one.alarm is None else stamps.texts[one.alarm],
        "drifting": one.drifting,
    }


def _shown(name: str, value: float) -> float:
    """A path's logarithm as people read it: a return, or a volatility; evidence as it is."""
    if name in ("account", "price"):
        return float(np.expm1(value))
    return float(np.exp(value)) if name == "volatility" else float(value)


def _log(equity: FloatArray) -> FloatArray:
    """Log of equity; of what is lost all, that of one millionth."""
    return np.asarray(np.log(np.maximum(equity, 1e-6)))


def _log_returns(closes: FloatArray) -> FloatArray:
    """(T, N) log returns of closes over the last real one."""
    return np.diff(np.log(closes), axis=0, prepend=0.0)


def volatility_before(closes: FloatArray, past: FloatArray, half_life: float = HALF_LIFE) -> FloatArray:
    """(T, N) root mean square of the log returns before each bar, weighted down by half in so many bars.

    s_t^2 = d s_(t-1)^2 + (1 - d) r_(t-1)^2, begun on the real bars before.

    Args:
        closes: (T, N) over the last real one.
        past: (W,) log returns before.
        half_life: bars.
    """
    decay = 0.5 ** (1.0 / half_life)
    weights = decay ** np.arange(len(past))[::-1]
    start = float((weights * past**2).sum() / weights.sum()) if len(past) else 0.0
    squared = _log_returns(closes) ** 2
    found = np.empty_like(squared)
    state = np.full(squared.shape[1], start)
    for bar in range(len(squared)):
        found[bar] = state
        state = decay * state + (1.0 - decay) * squared[bar]
    return np.asarray(np.sqrt(np.maximum(found, 1e-16)))


def _standardised(equity: FloatArray, closes: FloatArray, past: FloatArray) -> FloatArray:
    """(T, N) bar returns of accounts in units of the market's volatility before; 0 where nothing moved."""
    before = np.concatenate([np.ones((1, equity.shape[1])), equity[:-1]])
    gains = np.divide(equity - before, before, out=np.zeros_like(equity), where=before > 0)
    return np.where(np.abs(gains) > 1e-12, gains / volatility_before(closes, past), 0.0)


def _place_held(gains: FloatArray, ordered: FloatArray) -> FloatArray:
    """Mid-rank shares among all gains; one half, which bets nothing, where there is none."""
    return np.where(gains != 0.0, probability_transform(gains, ordered), 0.5)
