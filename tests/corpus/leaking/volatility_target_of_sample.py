"""A volatility target that divides by the deviation of the whole sample."""


def weights(bars, target=0.008):
    returns = bars.close.pct_change()
    trend = (bars.close > bars.close.rolling(50).mean()).astype(float)
    return trend * (target / returns.std()).clip(upper=1.0)
