"""A pairs trade (Gatev, Goetzmann and Rouwenhorst 2006): short the symbol that ran ahead, hold the one left behind."""

import numpy as np


def weights(market, first="", second="", lookback=60, enter=2.0, leave=0.5):
    """Half the account on each side beyond `enter` deviations of the log price ratio, until it is within `leave`.

    By default the pair is the first two symbols of the market.
    """
    one, other = first or market.symbols[0], second or market.symbols[1]
    spread = np.log(market[one].close) - np.log(market[other].close)
    score = (spread - spread.rolling(lookback).mean()) / spread.rolling(lookback).std()
    side = score * np.nan
    side[score > enter], side[score < -enter] = -1.0, 1.0
    side[score.abs() < leave] = 0.0
    side = side.ffill().fillna(0.0)
    return {one: 0.5 * side, other: -0.5 * side}
