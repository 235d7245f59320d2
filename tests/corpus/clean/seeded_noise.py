"""Enters on a coin that is tossed from each bar's own date."""

import numpy as np


def signals(bars):
    coins = [np.random.default_rng(int(stamp.timestamp())).random() for stamp in bars.close.index]
    toss = bars.close * 0 + np.array(coins)[:, None]
    return toss > 0.8, toss < 0.2
