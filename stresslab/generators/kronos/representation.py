"""What a representation promises: features of bars, as the tokenizer reads them, and bars of features.

A representation is a pure function of the history: what normalises a bar is known when that bar opens, so nothing of
the future enters. Tokens and transformers are not known here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from stresslab.core.arrays import FloatArray


@dataclass(frozen=True, eq=False)
class Given:
    """Bars that stand as they are among decoded ones.

    Attributes:
        at: step of the first.
        bars: (N, L, F).
    """

    at: int
    bars: FloatArray

    @property
    def end(self) -> int:
        """Step after the last."""
        return self.at + self.bars.shape[1]


class Representation(Protocol):
    """Features of bars, and bars of features."""

    @property
    def clip(self) -> float:
        """Bound of every feature."""
        ...

    @property
    def width(self) -> int:
        """Number of features per bar, the tokenizer's `d_in`."""
        ...

    @property
    def close(self) -> int:
        """Position of the feature that moves with the close."""
        ...

    @property
    def loss_weights(self) -> tuple[float, ...]:
        """(width,) weights of the squared errors when a tokenizer is trained."""
        ...

    def encode(self, values: FloatArray, context: int) -> tuple[NDArray[np.float32], Any]:
        """Features of the last `context` bars of a history.

        Args:
            values: (T, F) bars; those before the context may serve to warm up.
            context: number of bars to encode, at most T.

        Returns:
            (context, width) features within +-clip, and the state that `decode` continues from.
        """
        ...

    def following(self, values: FloatArray, state: Any, seam: NDArray[Any] | None = None) -> NDArray[np.float32]:
        """Features (N, S, width) of bars that follow the history whose `state` is given, as `encode` has them.

        Args:
            values: (N, S, F) bars of each universe from the origin on.
            state: what `encode` returned beside the features.
            seam: as `decode` takes it.
        """
        ...

    def decode(
        self,
        features: NDArray[Any],
        state: Any,
        seam: NDArray[Any] | None = None,
        drift: FloatArray | None = None,
        given: Given | None = None,
    ) -> FloatArray:
        """Bars that follow the history whose `state` is given.

        Args:
            features: (N, H, width) as the tokenizer decodes them.
            state: what `encode` returned beside the features.
            seam: (N, width) or (1, width), the tokenizer's decoding of the last context bar; given, the paths are
                anchored so that this bar lies on the last real close.
            drift: (H, 2) drift that all universes of this history share, of `common_drift`; None leaves it in them.
            given: bars that stand as they are; those after them follow from their last close.

        Returns:
            (N, H, F) float64; not yet repaired.
        """
        ...

    def training_features(self, values: FloatArray, length: int) -> NDArray[np.float32]:
        """Features of the last `length` bars for training, from what a generator would know.

        Args:
            values: (T, F) bars; those before the last `length` may serve to warm up.
            length: bars of the training window.

        Returns:
            (length, width) features within +-clip.
        """
        ...

    def settings(self) -> dict[str, Any]:
        """What the checkpoint's config records."""
        ...
