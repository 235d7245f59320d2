"""Small tables in the forms in which users have them, made from bars."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from stresslab.data import FIELDS, Bars

HEADERS = {
    "English": ("date", "open", "high", "low", "close", "volume", "amount"),
    "capitals": ("Date", "Open", "High", "Low", "Close", "Volume", "Amount"),
    "terminal": ("<DATE>", "<OPEN>", "<HIGH>", "<LOW>", "<CLOSE>", "<VOL>", "<AMOUNT>"),
    "Chinese": ("日期", "开盘", "最高", "最低", "收盘", "成交量", "成交额"),
    "Japanese": ("日付", "始値", "高値", "安値", "終値", "出来高", "amount"),
    "German": ("Datum", "Eröffnung", "Hoch", "Tief", "Schlusskurs", "Volumen", "amount"),
    "Spanish": ("Fecha", "Apertura", "Máximo", "Mínimo", "Cierre", "Volumen", "amount"),
    "French": ("Date", "Ouverture", "Plus haut", "Plus bas", "Clôture", "Volume", "amount"),
}
"""Names of time and fields."""


def table(bars: Bars, header: Sequence[str] = HEADERS["English"], form: str = "%Y-%m-%d %H:%M:%S") -> pd.DataFrame:
    """Bars as texts in the columns of a file; `form` is a form of dates, or `s`, `ms`, `us`, `ns` for epochs."""
    if "%" in form:
        stamps = bars.timestamps.strftime(form).to_numpy(dtype=object)
    else:
        stamps = bars.timestamps.as_unit(form).asi8.astype(str).astype(object)  # type: ignore[arg-type] # a unit
    columns = {header[0]: stamps}
    for name, values in zip(header[1:], bars.values.T, strict=True):
        columns[name] = np.array([repr(float(value)) for value in values], dtype=object)
    return pd.DataFrame(columns)


def text(frame: pd.DataFrame, delimiter: str = ",", decimal: str = ".", numbers: Sequence[str] = ()) -> str:
    """A table of texts as a file; the decimal sign is written into the columns `numbers`."""
    frame = frame.assign(**{name: frame[name].str.replace(".", decimal, regex=False) for name in numbers})
    return frame.to_csv(sep=delimiter, index=False)


def same(one: Bars, other: Bars) -> bool:
    """Whether two series are equal to the last bit."""
    return one.timestamps.equals(other.timestamps) and np.array_equal(one.values, other.values)


__all__ = ["FIELDS", "HEADERS", "same", "table", "text"]
