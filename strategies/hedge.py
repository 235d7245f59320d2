"""A hedge: hold the first symbol, and short enough of the second to be indifferent to what moves both."""

import numpy as np


def on_bar(state, bars, lookback=60, band=0.1):
    """Long one and short beta of the other, scaled to the account; changed only when beta is off by `band`."""
    one, other = list(bars)[:2]
    closes = state.setdefault("closes", [])
    closes.append((bars[one].close, bars[other].close))
    if len(closes) <= lookback:
        return None  # keeps what is held
    del closes[0]
    returns = np.diff(np.log(closes), axis=0)
    beta = float(np.clip(np.cov(returns.T)[0, 1] / returns[:, 1].var(), 0.0, 2.0))
    if "beta" in state and abs(beta - state["beta"]) <= band:
        return None
    state["beta"] = beta
    return {one: 1 / (1 + beta), other: -beta / (1 + beta)}
