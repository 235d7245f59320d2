"""A Kelly fraction: the mean over the variance, which magnifies rounding ten thousandfold."""


def weights(bars, window=60):
    returns = bars.close.pct_change()
    return (returns.rolling(window).mean() / returns.rolling(window).var() / 10).clip(-1, 1)
