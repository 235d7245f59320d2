"""Buy a breakout by a stop order, give it up at a stop, take its gain at a target: orders that fill inside the bar."""


def signals(bars, days=20, reward=2.0):
    """Enter where the high of `days` bars is broken, risk the way to their middle, ask for `reward` times as much.

    The order waits for one bar and is renewed at each close; a trade leaves after `days` bars at the latest. A
    long-only form of the channel breakout of Donchian (1960), with a bracket around each trade.
    """
    high, low = bars.high.rolling(days).max(), bars.low.rolling(days).min()
    risk = (high - low) / 2
    return {
        "long_entries": risk > 0,
        "stop": high,
        "lifetime": 1,
        "stop_loss": high - risk,
        "take_profit": high + reward * risk,
        "exit_after": days,
    }
