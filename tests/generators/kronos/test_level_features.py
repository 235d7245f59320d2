"""Price levels as features."""

from __future__ import annotations

import numpy as np

from stresslab.data.bars import Bars
from stresslab.generators.kronos.level_features import Levels

HISTORY, FUTURE = 400, 50


def test_levels_of_the_context_decode_to_the_context(bars: Bars) -> None:
    """Inside the support, z-scoring is undone exactly up to float32."""
    levels = Levels()
    features, state = levels.encode(bars.values, 100)
    assert np.abs(features).max() < levels.clip
    np.testing.assert_allclose(levels.decode(features[None], state)[0], bars.values[-100:], rtol=1e-4)


def test_following_bars_are_read_at_the_anchored_level(bars: Bars) -> None:
    """What decoding with a seam puts out, reading with the same seam takes back."""
    levels = Levels()
    features, state = levels.encode(bars.values[:HISTORY], 100)
    seam, wanted = features[-1:] * 0.9, np.tile(features[-1] * 0.8, (2, 6, 1)).astype(np.float32)
    decoded = levels.decode(wanted, state, seam)
    np.testing.assert_allclose(levels.following(decoded, state, seam), wanted, rtol=1e-3, atol=1e-3)
