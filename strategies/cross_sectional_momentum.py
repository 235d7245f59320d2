"""Cross-sectional momentum (Jegadeesh and Titman 1993), long only unless `short`: hold the symbols that rose most."""

import numpy as np


def weights(market, lookback=60, top=2, every=20, short=False):
    """Equal parts of the `top` symbols by return over `lookback` bars, chosen every `every` bars."""
    rank = market.rank(market.close.pct_change(lookback))  # 0 the weakest, 1 the strongest, in each universe
    place = (len(market) - 1) * rank
    target = (place > len(market) - 1 - top + 0.5).astype(float) / top
    if short:
        target = (target - (place < top - 0.5).astype(float) / top) / 2
    target[np.arange(len(target)) % every != 0] = np.nan  # NaN keeps what is held
    return target
