"""Long while the returns still to come add up to a gain."""

import numpy as np


def weights(bars):
    returns = np.log(bars.close).diff().fillna(0.0)
    remaining = returns[::-1].cumsum()[::-1] - returns
    return (remaining > 0).astype(float)
