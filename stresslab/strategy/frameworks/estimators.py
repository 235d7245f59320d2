"""A class with a scikit-learn model: fitted on history, and asked for predictions on what follows.

The class has `model` (anything with `fit` and `predict`), `features(bars)` and `target(bars)`, and may have
`position(predicted)`. Its numbers are parameters, and so are three of its own:

- `train`: the model is fitted on the first so many rows. In universes these are real history where `warmup` is as
  many, 500 by default, so that nothing generated is learned from; on real bars they are the oldest bars.
- `refit`: rows after which it is fitted again, on all rows before; 0 for never.
- `ahead`: rows that the target looks ahead; so many rows before each fit are left out of it, since their target was not
  known yet. The target is computed on the bars before the fit alone.

Rows before the first fit are not traded. A model without a seed gets one, so that a run can be repeated.
"""

from __future__ import annotations

import copy
import hashlib
import inspect
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from stresslab.core.errors import StrategyError
from stresslab.strategy.frameworks.accounts import as_series_function

TRAIN = 500
"""Rows that a model is fitted on by default: as many as `warmup` shows of history."""
_KEPT = 32
"""Fitted models that are kept: universes share their history, and so the model."""
_OWN = ("train", "refit", "ahead")


def is_theirs(thing: Any) -> bool:
    """Whether this is a class with a model, its features and its target."""
    return inspect.isclass(thing) and all(
        callable(getattr(getattr(thing, "model", None), name, None)) for name in ("fit", "predict")
    ) and callable(getattr(thing, "features", None)) and callable(getattr(thing, "target", None))  # fmt: skip


def adapted(theirs: Any, module: Any = None) -> Callable[..., Any]:
    """The function `weights(bars, **parameters)` that such a class stands for.

    Args:
        theirs: the class.
        module: the file that it stands in.
    """
    own = {
        name: getattr(theirs, name)
        for name in dir(theirs)
        if name[0] != "_" and isinstance(getattr(theirs, name), int | float | str)
    }
    defaults = {"train": TRAIN, "refit": 0, "ahead": 1, **own}
    fitted: OrderedDict[str, Any] = OrderedDict()

    def weights(bars: Any, **parameters: Any) -> pd.Series:
        settings = {**defaults, **parameters}
        mine = theirs()
        for name, value in parameters.items():
            if name not in _OWN:
                setattr(mine, name, value)
        return _weights(mine, bars, settings, fitted)

    return as_series_function(weights, theirs.__name__, defaults)  # type: ignore[arg-type] # weights, not fills


def _weights(mine: Any, bars: pd.DataFrame, settings: Mapping[str, Any], fitted: OrderedDict[str, Any]) -> pd.Series:
    train, refit, ahead = (int(settings[name]) for name in _OWN)
    if train < 1 or refit < 0 or ahead < 0:
        raise StrategyError(f"train={train}, refit={refit}, ahead={ahead}: give at least 1, 0 and 0")
    features = pd.DataFrame(mine.features(bars))
    if len(features) != len(bars):
        raise StrategyError(f"features returned {len(features)} rows of {len(bars)}; drop no rows, leave NaN")
    known = np.isfinite(features.to_numpy(dtype=float)).all(axis=1)
    weights = pd.Series(np.nan, index=bars.index)
    weights.iloc[: min(train, len(bars))] = 0.0
    starts = range(train, len(bars), refit) if refit else range(train, len(bars), max(1, len(bars)))
    for start in starts:
        model = _model(mine, bars, features, known, (start, ahead), fitted)
        rows = np.flatnonzero(known[start : start + refit] if refit else known[start:]) + start
        if len(rows):
            weights.iloc[rows] = _positions(mine, model.predict(features.iloc[rows]))
    return weights


def _model(
    mine: Any, bars: pd.DataFrame, features: pd.DataFrame, known: Any, rows: tuple[int, int],
    fitted: OrderedDict[str, Any],
) -> Any:  # fmt: skip
    """The model fitted on the rows before one, of which the last have no target yet."""
    start, ahead = rows
    target = pd.Series(mine.target(bars.iloc[:start]))
    if len(target) != start:
        raise StrategyError(f"target returned {len(target)} rows of {start}; drop no rows, leave NaN")
    use = known[:start] & target.notna().to_numpy()
    use[max(0, start - ahead) :] = False
    if not use.any():
        raise StrategyError(
            f"no row of the first {start} has all features and a target; give `train` more rows, or shorter windows"
        )
    x, y = features.iloc[:start][use], target[use]
    content = x.to_numpy(dtype=float).tobytes() + pd.util.hash_pandas_object(y, index=False).to_numpy().tobytes()
    key = hashlib.sha256(content).hexdigest() + repr(sorted(vars(mine).items()))
    if key not in fitted:
        fitted[key] = _seeded(mine.model).fit(x, y)
        while len(fitted) > _KEPT:
            fitted.popitem(last=False)
    return fitted[key]


def _seeded(model: Any) -> Any:
    """A copy of a model that is not fitted yet, with a seed where it has none."""
    model = copy.deepcopy(model)
    if hasattr(model, "get_params") and hasattr(model, "set_params"):
        unset = {name: 0 for name, value in model.get_params().items()
                 if name.rpartition("__")[2] == "random_state" and value is None}  # fmt: skip
        model.set_params(**unset)
    return model


def _positions(mine: Any, predicted: Any) -> Any:
    """Target weights: what `position` makes of predictions; without it 1 where positive, -1 where a class is -1."""
    if hasattr(mine, "position"):
        return np.asarray(mine.position(predicted), dtype=float)
    values = np.asarray(predicted)
    if values.dtype.kind not in "biuf":
        raise StrategyError(f"the model predicts {values.dtype}, not numbers; add a method position(self, predicted)")
    classes = set(np.unique(values)) <= {-1, 0, 1}
    return values.astype(float) if classes else (values > 0).astype(float)
