"""What to do about an error of the user's code, where its cause is known: libraries, files, and idioms of old versions.

`sandbox` says where the error was raised.
"""

from __future__ import annotations

import re
import traceback
from pathlib import Path

PACKAGES = {
    "talib": "TA-Lib", "pandas_ta": "pandas-ta", "sklearn": "scikit-learn", "backtesting": "backtesting",
    "backtrader": "backtrader", "ta": "ta", "technical": "technical", "tulipy": "tulipy", "yfinance": "yfinance",
}  # fmt: skip
"""What is installed for a module that strategies import."""
_FORMER = {
    "'append'": "pandas 2 took append away, write pd.concat([one, other])",
    "'iteritems'": "pandas 2 took iteritems away, write .items()",
    "'ix'": "pandas 1 took ix away, write .loc or .iloc",
    "'mad'": "pandas 2 took mad away, write (x - x.mean()).abs().mean()",
    "'applymap'": "pandas 3 took applymap away, write .map",
    "get_loc() got an unexpected": "pandas 2 took get_loc(method=...) away, write .get_indexer([x], method='ffill')[0]",
    "fillna() got an unexpected": "pandas 3 took fillna(method=...) away, write .ffill() or .bfill()",
    "keyword argument 'inplace'": "write the result back instead, as in x = x.clip(...)",
}
"""What a text says of idioms that newer versions do not have."""


def remedy(error: BaseException, text: str) -> str:
    """What to do, in a clause.

    Args:
        error: that the code raised.
        text: what it says.
    """
    if "read-only" in text or "cannot assign to field" in text:
        return "the bars are read-only, work on a copy"
    if isinstance(error, ModuleNotFoundError) and error.name:
        top = error.name.partition(".")[0]
        return f"install it beside stresslab, as in `pip install {PACKAGES[top]}`" if top in PACKAGES else _CORRECT
    former = next((what for sign, what in _FORMER.items() if sign in text), None)
    if former and isinstance(error, AttributeError | TypeError):
        return former
    if isinstance(error, OSError) or re.search(r"URLError|HTTPError|ConnectionError", type(error).__name__):
        return (
            "take the data from bars, and put what reads or downloads its own under if __name__ == '__main__': "
            "or into a function that is not called here"
        )
    if isinstance(error, KeyError) and error.args and _in_pandas(error):
        if isinstance(error.args[0], str):
            return (
                "the frame has no such column; where it is another symbol's: columns are universes of one series, so "
                "another symbol cannot be asked for"
            )
        if isinstance(error.args[0], int):
            return f"rows are labelled by their time and not by numbers, write .iloc[{error.args[0]}]"
    return _CORRECT


_CORRECT = "correct it there"


def _in_pandas(error: BaseException) -> bool:
    """Whether the innermost frames are those of pandas, looking a label up."""
    last = traceback.extract_tb(error.__traceback__)[-1:]
    return any("pandas" in Path(at.filename).parts for at in last)
