"""A loop over one series with a trailing stop of its own."""


def signals(bars, trail=0.05):
    entries, exits = [], []
    holding, best = False, 0.0
    for close, opened in zip(bars["close"], bars["open"], strict=True):
        best = max(best, close) if holding else close
        out = holding and close < best * (1 - trail)
        in_ = not holding and close > opened
        entries.append(in_)
        exits.append(out)
        holding = (holding or in_) and not out
    return entries, exits
