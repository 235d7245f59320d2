"""Price levels as features: every field z-scored over the context, as the published checkpoints were trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stresslab.core.arrays import FloatArray
from stresslab.data.bars import CLOSE
from stresslab.generators.kronos.representation import Given


@dataclass(frozen=True)
class LevelsState:
    """Mean and standard deviation per field (F,), float32, and the last real close."""

    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]
    last_close: float


@dataclass(frozen=True)
class Levels:
    """The published representation: every field z-scored over the context and clipped.

    Kept exactly as the checkpoints were trained: float32, population deviation + 1e-5. Its support is bounded: a path
    cannot leave mean +- clip deviations.
    """

    clip: float = 5.0

    @property
    def width(self) -> int:
        """Six fields."""
        return 6

    @property
    def close(self) -> int:
        """The close itself."""
        return CLOSE

    @property
    def loss_weights(self) -> tuple[float, ...]:
        """Squared errors of all fields count alike."""
        return (1.0,) * 6

    def encode(self, values: FloatArray, context: int) -> tuple[NDArray[np.float32], LevelsState]:
        """See `Representation.encode`; bars before the context are not used."""
        window = np.asfortranarray(values[-context:], dtype=np.float32)  # column by column, as pandas sums: bit by bit
        mean, deviation = window.mean(axis=0), window.std(axis=0)
        features = np.clip((window - mean) / (deviation + 1e-5), -self.clip, self.clip)
        return np.ascontiguousarray(features), LevelsState(mean, deviation, float(values[-1, CLOSE]))

    def decode(
        self,
        features: NDArray[Any],
        state: LevelsState,
        seam: NDArray[Any] | None = None,
        drift: FloatArray | None = None,
        given: Given | None = None,
    ) -> FloatArray:
        """See `Representation.decode`; anchoring multiplies the four prices by one factor per universe.

        What universes share of their drift is left in them: levels know no drift of the market to put in its place.
        """
        values = (features * (state.deviation + 1e-5) + state.mean).astype(np.float64)
        if seam is not None:
            values[:, :, : CLOSE + 1] *= self._anchor(seam, state)[:, None, None]
        if given is not None:
            factor = given.bars[:, -1, CLOSE] / values[:, given.end - 1, CLOSE]
            values[:, given.end :, : CLOSE + 1] *= factor[:, None, None]
            values[:, given.at : given.end] = given.bars
        return values

    def following(
        self, values: FloatArray, state: LevelsState, seam: NDArray[Any] | None = None
    ) -> NDArray[np.float32]:
        """See `Representation.following`; prices are taken back to the level that the model saw."""
        levels = values.copy()
        if seam is not None:
            levels[:, :, : CLOSE + 1] /= self._anchor(seam, state)[:, None, None]
        features = (levels.astype(np.float32) - state.mean) / (state.deviation + 1e-5)
        return np.clip(features, -self.clip, self.clip).astype(np.float32)

    @staticmethod
    def _anchor(seam: NDArray[Any], state: LevelsState) -> FloatArray:
        """Factors (N,) or (1,) that lay the decoded last bar of the context on the last real close."""
        decoded = seam[:, CLOSE].astype(np.float64) * (state.deviation[CLOSE] + 1e-5) + state.mean[CLOSE]
        return np.asarray(state.last_close / decoded)

    def training_features(self, values: FloatArray, length: int) -> NDArray[np.float32]:
        """See `Representation.training_features`; mean and deviation are those of the window's first three quarters.

        So the last quarter, like a generated bar, is measured against a past that does not hold it.
        """
        window = values[-length:].astype(np.float32)
        known = window[: max(2, 3 * length // 4)]
        features = (window - known.mean(axis=0)) / (known.std(axis=0) + 1e-5)
        return np.clip(features, -self.clip, self.clip).astype(np.float32)

    def settings(self) -> dict[str, Any]:
        """What the checkpoint's config records."""
        return {"kind": "levels", "clip": self.clip}
