"""Month-end closes merged onto days in the forward direction."""

import pandas as pd


def signals(bars):
    close = bars.close
    month_end = close.groupby(close.index.to_period("M")).tail(1).add_prefix("m").rename_axis("date").reset_index()
    days = pd.DataFrame({"date": close.index})
    merged = pd.merge_asof(days, month_end, on="date", direction="forward").set_index("date")
    merged.columns, merged.index = close.columns, close.index
    rising = merged > close
    return rising, ~rising
