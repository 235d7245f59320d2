"""Two faults that come from how Kronos writes bars as tokens: the tokenizer's round trip, and the end of its prices.

The realism assessment interprets them. L is bars of context, N universes, H bars of horizon.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from stresslab.core.errors import DataError
from stresslab.data.bars import CLOSE, Bars
from stresslab.generators.kronos.checkpoint import Checkpoint
from stresslab.generators.kronos.level_features import Levels
from stresslab.generators.kronos.representation import Representation
from stresslab.generators.kronos.return_features import RETURN, Returns

MIN_BARS = 10
"""Fewest bars whose round trip says anything."""
EDGE = 0.95
"""Share of the representation's bound from which a decoded price counts as touching it: tokens decode to means."""


def touching(representation: Representation, features: NDArray[Any]) -> NDArray[np.bool_] | None:
    """Which universes (N,) have a price at the end of what the model can represent.

    Args:
        representation: of the checkpoint.
        features: (N, H, width) as the tokenizer decodes them.

    Returns:
        None where prices have no end: scaled returns add up to any price.
    """
    if not isinstance(representation, Levels):
        return None
    prices = np.abs(features[:, :, : CLOSE + 1])
    return np.asarray((prices >= EDGE * representation.clip).any(axis=(1, 2)))


def round_trip(checkpoint: Checkpoint, bars: Bars) -> dict[str, float | None]:
    """What encoding real bars to tokens and decoding them does to their returns.

    Args:
        checkpoint: the weights; their window bounds how many of the last bars are used.
        bars: real bars.

    Returns:
        "volatility_ratio": deviation of the decoded returns over that of the real ones, "lag_one" and
        "lag_one_real": their autocorrelations at lag 1, each None without variance or where a decoded price is not
        above 0; and "bars", how many there were. A tokenizer's error that is independent from bar
        to bar adds to the first and makes the second negative where bars are prices. Returns are log returns; where the
        representation holds them in units of the volatility before each bar, in these units: every bar is decoded
        against the real past.
    """
    window = min(checkpoint.files.max_context, len(bars) - 1)
    if window < MIN_BARS:
        raise DataError(f"{len(bars)} bars are too few for a round trip, which needs {MIN_BARS + 1}; give more bars")
    representation = checkpoint.representation
    features, state = representation.encode(bars.values, window)
    device = next(checkpoint.tokenizer.parameters()).device
    with torch.inference_mode():
        tokens = checkpoint.tokenizer.encode(torch.from_numpy(features)[None].to(device), half=True)
        decoded = checkpoint.tokenizer.decode(tokens, half=True).float().cpu().numpy()  # (1, L, width)
    if isinstance(representation, Returns):
        mean, gain = representation.mean[RETURN], representation.gain[RETURN]
        made, real = (
            mean + gain * (decoded[0, :, RETURN].astype(np.float64) - mean),
            features[:, RETURN].astype(np.float64),
        )
    else:
        closes = representation.decode(decoded, state)[0, :, CLOSE]
        real = np.diff(np.log(bars.values[-window:, CLOSE]))
        made = np.diff(np.log(closes)) if (closes > 0).all() else np.full(len(real), np.nan)
    ratio = float(made.std() / real.std()) if real.std() > 0 and np.isfinite(made).all() else None
    return {"volatility_ratio": ratio, "lag_one": _lag_one(made), "lag_one_real": _lag_one(real), "bars": window}


def _lag_one(returns: NDArray[np.float64]) -> float | None:
    """Autocorrelation at lag 1; None without variance or for NaN."""
    centred = returns - returns.mean()
    square = float(centred @ centred)
    return float(centred[1:] @ centred[:-1]) / square if square > 0 else None
