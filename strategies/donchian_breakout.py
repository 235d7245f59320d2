"""Buy a new high and sell a new low: Donchian's channel, with the windows of the Turtles."""


def signals(bars, entry=20, exit=10):
    """Enter on a close above the highest high of the `entry` bars before, exit below the lowest low of `exit` bars.

    The windows are those of System 1 in Faith, "Way of the Turtle" (2007); here long only, on closes, every breakout.
    """
    highest = bars.high.rolling(entry).max().shift(1)
    lowest = bars.low.rolling(exit).min().shift(1)
    return bars.close > highest, bars.close < lowest
