"""Real bars that come with the installation: daily indices from 1999 to 2018, out of the package `arch`."""

from __future__ import annotations

import difflib
from importlib import import_module

from stresslab.data.bars import Bars
from stresslab.data.messages import one_line
from stresslab.errors import DataError

SAMPLES = {"nasdaq": "NASDAQ Composite", "sp500": "S&P 500"}
"""Modules of `arch.data` and what they hold; opens of the S&P 500 equal the previous close on most days before 2006."""


def load_sample(name: str, since: object = None, until: object = None, repair: bool = False) -> Bars:
    """The bundled sample `name`, as `sample:name`."""
    if name not in SAMPLES:
        close = difflib.get_close_matches(name, SAMPLES, n=1)
        hint = f"did you mean sample:{close[0]}? There are" if close else "there are"
        known = ", ".join(f"sample:{key} ({title})" for key, title in SAMPLES.items())
        raise DataError(one_line(f"sample:{name} is not a sample; {hint} {known}"))
    frame = import_module(f"arch.data.{name}").load()
    return Bars.from_frame(frame, symbol=name, source=f"sample:{name}", repair=repair, since=since, until=until)
