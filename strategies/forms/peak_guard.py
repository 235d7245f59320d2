"""Leave the market after a fall from its peak, come back at a new one or after a while: an event loop, bar by bar."""


def on_bar(state, bar, drop=0.10, wait=60):
    """Flat once the close is `drop` below its highest, long again at a new high or after `wait` bars.

    `state` is a dict that this universe alone writes to; what is returned is the target weight at this bar's close.
    """
    peak, waited = max(state.get("peak", bar.close), bar.close), state.get("waited")
    if waited is None:
        waited = 0 if bar.close <= peak * (1 - drop) else None
    elif bar.close == peak or waited == wait:
        peak, waited = bar.close, None
    else:
        waited += 1
    state.update(peak=peak, waited=waited)
    return 1.0 if waited is None else 0.0
