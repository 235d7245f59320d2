"""Buy a rise of `step` from the last low, sell a fall of `step` from the last high: written for one price series."""


def signals(bars, step=0.06):
    """The filter rule of Alexander, "Price Movements in Speculative Markets" (1961), as a loop over the closes.

    It knows one series only, and is called once for each universe; frames of all universes at once would be faster.
    """
    entries, exits = [], []
    holding, extreme = False, bars["close"].iloc[0]
    for close in bars["close"]:
        extreme = max(extreme, close) if holding else min(extreme, close)
        turned = close <= extreme * (1 - step) if holding else close >= extreme * (1 + step)
        entries.append(turned and not holding)
        exits.append(turned and holding)
        if turned:
            holding, extreme = not holding, close
    return entries, exits
