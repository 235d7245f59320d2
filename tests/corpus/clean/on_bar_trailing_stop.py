"""Event loop: a breakout with a trailing stop kept in the state."""


def on_bar(state, bar):
    closes = state.setdefault("closes", [])
    closes.append(bar.close)
    state["peak"] = max(state.get("peak", 0.0), bar.close) if state.get("held") else bar.close
    if state.get("held") and bar.close < 0.95 * state["peak"]:
        state["held"] = False
    elif not state.get("held") and len(closes) > 20 and bar.close > max(closes[-21:-1]):
        state["held"] = True
    return 1.0 if state.get("held") else 0.0
