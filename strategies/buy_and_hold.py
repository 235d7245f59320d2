"""Buy at the first open and hold to the end: what every other strategy has to beat."""


def weights(bars):
    """Fully invested at every bar."""
    return bars.close.notna().astype(float)
