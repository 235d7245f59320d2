"""Buy a dip in parts by limit orders that wait, each with its own target and time: an event loop on its own account."""


def on_bar(state, bar, window=20, step=0.02, parts=3):
    """A limit order `step` below the close, or below the last part; out at the mean of `window` closes, or in time.

    `state` is a dict, and knows the account: its open trades, its orders, its equity. Orders given at a close fill from
    the next open on, each for one part of the equity.
    """
    closes = state["closes"] = [*state.get("closes", []), bar.close][-window:]
    mean = sum(closes) / len(closes)
    if len(closes) < window or bar.close >= mean or len(state.trades) == parts:
        return state.cancel()
    last = state.trades[-1].entry_price if state.trades else bar.close
    price = min(bar.close, last) * (1 - step)
    state.enter_long(limit=price, lifetime=3, size=1 / parts, take_profit=mean, exit_after=window)
