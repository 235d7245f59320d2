"""A regression of each return on the one before, refitted every 20 bars on past bars only."""

import numpy as np


def weights(bars, every=20):
    returns = np.log(bars.close).diff().fillna(0.0).to_numpy()
    target = np.zeros(returns.shape)
    for start in range(100, len(returns), every):
        past, following = returns[: start - 1], returns[1:start]
        beta = (past * following).sum(axis=0) / (past**2).sum(axis=0)
        target[start : start + every] = np.sign(beta * returns[start : start + every])
    return target
