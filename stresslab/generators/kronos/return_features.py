"""Scaled returns as features: every bar in units of the volatility that was known when it opened."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stresslab.core.arrays import FloatArray
from stresslab.data.bars import AMOUNT, CLOSE, HIGH, LOW, OPEN, VOLUME
from stresslab.generators.kronos.representation import Given

SIGMA_FLOOR = 1e-6
"""Least volatility per bar that features are measured in, a hundredth of a basis point."""


SIGMA_CEILING = 10.0
"""Most volatility of a universe, in units of that at the origin: moving volatility feeds on itself without a bound."""


GAP, RETURN, UPPER, LOWER, ACTIVITY = range(5)


@dataclass
class ReturnsState:
    """What the next bar is measured against; arrays broadcast over universes.

    Attributes:
        close: last close.
        variances: moving mean squared log-return, one per half-life.
        log_volume: moving mean of the log-volume; NaN where the market has no volume.
    """

    close: Any
    variances: Any
    log_volume: Any


@dataclass(frozen=True)
class Returns:
    """Scale-free features, in units of the volatility known at the previous close.

    Per bar: opening gap log(open / previous close), return log(close / previous close), upper shadow
    log(high / max(open, close)), lower shadow log(min(open, close) / low), each over sigma; and the log-volume against
    its own moving mean. sigma^2 is the mean of exponentially weighted squared returns with several half-lives, in the
    manner of the heterogeneous autoregressive model (Corsi 2009). A path has no bounded support, cannot jump at the
    seam, and a decoded bar is valid by construction: shadows below zero are read as none.

    Attributes:
        half_lives: of the squared returns, in bars.
        weights: of their means in the variance, which add up to 1; equal ones when empty.
        volume_half_life: of the log-volume, in bars.
        clip: bound of every feature; the variance is updated with the clipped return.
        mean: (5,) feature means over the training data, about which `gain` acts.
        gain: (5,) standard deviation of the real features over that of the decoded ones. A quantizer's reconstruction
            is a conditional mean and so has less variance than the data (Gersho & Gray 1992, ch. 6); the gain gives it
            back.
        own_drift: share that is kept, at the first bar, of the drift which the model gives to all universes of a
            history alike; at bar k it is the share's k-th power. The drift of `mean` takes the place of the rest; what
            a universe's own path makes of its drift stays.
    """

    half_lives: tuple[float, ...] = (5.0, 20.0, 100.0)
    weights: tuple[float, ...] = ()
    volume_half_life: float = 20.0
    clip: float = 8.0
    mean: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0, 0.0)
    gain: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0, 1.0)
    own_drift: float = 1.0

    @property
    def width(self) -> int:
        """Five features."""
        return 5

    @property
    def close(self) -> int:
        """The return."""
        return RETURN

    @property
    def loss_weights(self) -> tuple[float, ...]:
        """Weights of the squared errors: a gap or a shadow is about a third of a return in size, and as important."""
        return (3.0, 1.0, 3.0, 3.0, 1.0)

    def encode(self, values: FloatArray, context: int) -> tuple[NDArray[np.float32], ReturnsState]:
        """See `Representation.encode`; the whole history warms the moving volatility up."""
        state = self._start(values)
        logs = np.log(values[:, :VOLUME])
        with np.errstate(divide="ignore"):
            log_volumes = np.log(values[:, VOLUME])
        sigmas, levels = self._scales(logs[:, CLOSE], log_volumes, state)
        previous = np.concatenate([logs[:1, OPEN], logs[:-1, CLOSE]])
        body = np.sort(logs[:, [OPEN, CLOSE]], axis=1)  # lower and upper end
        features = np.column_stack(
            [
                (logs[:, OPEN] - previous) / sigmas,
                (logs[:, CLOSE] - previous) / sigmas,
                (logs[:, HIGH] - body[:, 1]) / sigmas,
                (body[:, 0] - logs[:, LOW]) / sigmas,
                np.nan_to_num(log_volumes - levels, nan=0.0, neginf=-self.clip),
            ]
        )
        return np.clip(features[-context:], -self.clip, self.clip).astype(np.float32), state

    @np.errstate(over="ignore", invalid="ignore")  # what overflows is refused by the generator
    def decode(
        self,
        features: NDArray[Any],
        state: ReturnsState,
        seam: NDArray[Any] | None = None,
        drift: FloatArray | None = None,
        given: Given | None = None,
    ) -> FloatArray:
        """See `Representation.decode`; paths start at the last real close, so there is no seam to anchor."""
        count, horizon, _ = features.shape
        scaled, now = self._scaled(features), _copies(state, count)
        if drift is not None:
            scaled[:, :, [GAP, RETURN]] += self._settled(drift) - drift
        values = np.empty((count, horizon, 6))
        ceiling = SIGMA_CEILING * self._volatility(state.variances)
        for step in range(horizon):
            bar, values_now = scaled[:, step], values[:, step]
            sigma = np.minimum(self._volatility(now.variances), ceiling)
            values_now[:, OPEN] = now.close * np.exp(sigma * bar[:, GAP])
            values_now[:, CLOSE] = now.close * np.exp(sigma * bar[:, RETURN])
            body = values_now[:, [OPEN, CLOSE]]
            values_now[:, HIGH] = body.max(axis=1) * np.exp(sigma * np.maximum(bar[:, UPPER], 0.0))
            values_now[:, LOW] = body.min(axis=1) * np.exp(-sigma * np.maximum(bar[:, LOWER], 0.0))
            log_volume = now.log_volume + bar[:, ACTIVITY]
            values_now[:, VOLUME] = np.nan_to_num(np.exp(log_volume), nan=0.0)
            if given is not None and given.at <= step < given.end:
                values_now[:] = given.bars[:, step - given.at]
                self._read(now, values_now)
                continue
            self._advance(now, sigma * bar[:, RETURN], log_volume)
            now.close = values_now[:, CLOSE]
        amounts = values[:, :, VOLUME] * values[:, :, : CLOSE + 1].mean(axis=2)
        if given is not None:
            amounts[:, given.at : given.end] = given.bars[:, :, AMOUNT]
        values[:, :, AMOUNT] = amounts
        return values

    def following(
        self, values: FloatArray, state: ReturnsState, seam: NDArray[Any] | None = None
    ) -> NDArray[np.float32]:
        """See `Representation.following`; the seam is of no account."""
        now, read = _copies(state, len(values)), []
        for step in range(values.shape[1]):
            read.append(self._read(now, values[:, step]))
        return np.stack(read, axis=1)

    def _read(self, state: ReturnsState, bars: FloatArray) -> NDArray[np.float32]:
        """Features (N, width) of the next bar (N, F) of each universe; moves their state on, as `encode` does."""
        sigma = self._volatility(state.variances)
        logs, previous = np.log(bars[:, :VOLUME]), np.log(state.close)
        with np.errstate(divide="ignore"):
            log_volume = np.log(bars[:, VOLUME])
        body = np.sort(logs[:, [OPEN, CLOSE]], axis=1)
        features = np.column_stack(
            [
                (logs[:, OPEN] - previous) / sigma,
                (logs[:, CLOSE] - previous) / sigma,
                (logs[:, HIGH] - body[:, 1]) / sigma,
                (body[:, 0] - logs[:, LOW]) / sigma,
                np.nan_to_num(log_volume - state.log_volume, nan=0.0, neginf=-self.clip),
            ]
        )
        moved = np.clip(logs[:, CLOSE] - previous, -self.clip * sigma, self.clip * sigma)
        self._advance(state, moved, np.where(log_volume == -np.inf, state.log_volume - self.clip, log_volume))
        state.close = bars[:, CLOSE]
        return np.clip(features, -self.clip, self.clip).astype(np.float32)

    def common_drift(self, features: NDArray[Any], surprises: FloatArray, state: ReturnsState) -> FloatArray:
        """The drift of gap and return that the model gives to all universes of a history alike, at each bar.

        Args:
            features: (R, H, width) of reference universes, as the tokenizer decodes them.
            surprises: (R, H, 2) parts of their gaps and returns that chance decided, of mean 0; without them the mean
                over few universes is closer to the model's expectation.
            state: of the history.

        Returns:
            (H, 2) in units of volatility; means over universes, each weighted with its volatility.
        """
        scaled, now = self._scaled(features), _copies(state, len(features))
        expected = scaled[:, :, [GAP, RETURN]] - np.asarray(self.gain)[[GAP, RETURN]] * surprises
        ceiling, drift = SIGMA_CEILING * self._volatility(state.variances), np.empty(expected.shape[1:])
        for step in range(len(drift)):
            sigma = np.minimum(self._volatility(now.variances), ceiling)
            drift[step] = sigma @ expected[:, step] / sigma.sum()
            self._advance(now, sigma * scaled[:, step, RETURN], now.log_volume)
        return drift

    def _settled(self, drift: FloatArray) -> FloatArray:
        """What takes the place of the common drift (H, 2): a share of it, and of the training data's the rest."""
        share = self.own_drift ** np.arange(1, len(drift) + 1)[:, None]
        return np.asarray(share * drift + (1.0 - share) * np.asarray(self.mean)[[GAP, RETURN]])

    def _scaled(self, features: NDArray[Any]) -> FloatArray:
        """Decoded features (N, H, width) with the variance that quantizing took from them."""
        mean, gain = np.asarray(self.mean), np.asarray(self.gain)
        return np.clip(mean + gain * (features.astype(np.float64) - mean), -self.clip, self.clip)

    def training_features(self, values: FloatArray, length: int) -> NDArray[np.float32]:
        """See `Representation.training_features`; every bar is measured against its own past."""
        return self.encode(values, length)[0]

    def settings(self) -> dict[str, Any]:
        """What the checkpoint's config records."""
        return {"kind": "returns"} | asdict(self)

    def _start(self, values: FloatArray) -> ReturnsState:
        """The state before the first bar: volatility and volume of the first bars stand in for an unknown past."""
        first = int(2 * max(self.half_lives[0], self.volume_half_life))
        squares = np.diff(np.log(values[:first, CLOSE])) ** 2
        variance = float(squares.mean()) if len(squares) else 0.0
        traded = values[values[:, VOLUME] > 0, VOLUME][:first]
        level = float(np.log(traded).mean()) if len(traded) else float("nan")
        return ReturnsState(float(values[0, OPEN]), [variance] * len(self.half_lives), level)

    def _scales(
        self, closes: FloatArray, log_volumes: FloatArray, state: ReturnsState
    ) -> tuple[FloatArray, FloatArray]:
        """Volatility and volume level known before each bar; leaves `state` after the last one."""
        sigmas, levels = np.empty(len(closes)), np.empty(len(closes))
        previous = float(np.log(state.close))
        for row, (close, log_volume) in enumerate(zip(closes.tolist(), log_volumes.tolist(), strict=True)):
            sigmas[row] = sigma = self._volatility(state.variances)
            levels[row] = state.log_volume
            bound = self.clip * sigma
            if log_volume == -np.inf:
                log_volume = state.log_volume - self.clip
            self._advance(state, min(max(close - previous, -bound), bound), log_volume)
            previous = close
        state.close = float(np.exp(closes[-1]))
        return sigmas, levels

    def _advance(self, state: ReturnsState, log_return: Any, log_volume: Any) -> None:
        """One bar further: exponentially weighted means of the squared return and of the log-volume."""
        square = log_return * log_return
        state.variances = [
            variance + (1.0 - 0.5 ** (1.0 / half_life)) * (square - variance)
            for half_life, variance in zip(self.half_lives, state.variances, strict=True)
        ]
        state.log_volume = state.log_volume + (1.0 - 0.5 ** (1.0 / self.volume_half_life)) * (
            log_volume - state.log_volume
        )

    def _volatility(self, variances: Any) -> Any:
        """Root of the weighted mean over half-lives; the floor keeps a flat market's features finite."""
        if not self.weights:
            mean = sum(variances) / len(variances)
        else:
            mean = sum(weight * variance for weight, variance in zip(self.weights, variances, strict=True))
        return (mean + SIGMA_FLOOR**2) ** 0.5


def _copies(state: ReturnsState, count: int) -> ReturnsState:
    """The state at the origin of every one of N universes."""
    return ReturnsState(
        np.full(count, state.close),
        [np.full(count, variance) for variance in state.variances],
        np.full(count, state.log_volume),
    )
