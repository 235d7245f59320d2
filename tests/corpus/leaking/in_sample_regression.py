"""A regression of the next return on the last five, fitted on the very bars that it then trades."""

import numpy as np


def weights(bars, lags=5):
    returns = np.log(bars.close).diff().fillna(0.0)
    scores = returns * 0.0
    for name in returns.columns:
        x = np.column_stack([returns[name].shift(lag).fillna(0.0) for lag in range(lags)])
        beta = np.linalg.lstsq(x[:-1], returns[name].to_numpy()[1:], rcond=None)[0]
        scores[name] = x @ beta
    return np.sign(scores)
