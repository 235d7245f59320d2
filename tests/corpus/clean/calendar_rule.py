"""Long from Wednesday to Friday, and flat in September."""


def weights(bars):
    index = bars.close.index
    held = (index.day_of_week >= 2) & (index.month != 9)
    return bars.close * 0 + held[:, None].astype(float)
