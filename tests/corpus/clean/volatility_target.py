"""A trend sized to a volatility target."""

import numpy as np


def weights(bars, target=0.1):
    volatility = np.log(bars.close).diff().rolling(20).std() * np.sqrt(252)
    trend = (bars.close > bars.close.rolling(50).mean()).astype(float)
    return (trend * target / volatility).clip(upper=1.0)
