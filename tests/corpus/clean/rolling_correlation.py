"""Long while returns and volume move together."""


def signals(bars, window=30):
    together = bars.close.pct_change().rolling(window).corr(bars.volume.pct_change())
    return together > 0, together < 0
