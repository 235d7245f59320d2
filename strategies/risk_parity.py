"""A risk-parity portfolio: each symbol weighs in proportion to one over its volatility."""

import numpy as np


def weights(market, lookback=60, every=20):
    """Inverse volatilities over `lookback` bars, adding up to 1, every `every` bars."""
    inverse = {symbol: 1 / market[symbol].close.pct_change().rolling(lookback).std() for symbol in market}
    whole = sum(inverse.values())
    target = {symbol: one / whole for symbol, one in inverse.items()}
    for frame in target.values():
        frame[np.arange(len(frame)) % every != 0] = np.nan  # NaN keeps what is held
    return target
