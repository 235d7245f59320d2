"""Results over a grid of parameters whose P(loss) is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from stresslab.analysis.result import StrategyResult, StressResult
from stresslab.analysis.result_models import Share
from tests.make.results import make_result


def share(value: float, low: float, high: float) -> Share:
    """A share with its interval."""
    return Share(value=value, low=low, high=high)


def gridded(*names: str, drop: int = 0) -> StressResult:
    """A grid over some parameters whose P(loss) falls along the first and hardly changes along the others."""
    base = make_result("follow", universes=40, horizon=20).strategies[0]
    values = {name: list(range(3)) for name in names}
    sets: list[StrategyResult] = []
    for chosen in np.ndindex(*(3,) * len(names)):
        parameters = dict(zip(names, chosen, strict=True))
        label = ",".join(f"{name}={value}" for name, value in parameters.items())
        loss = 0.5 - 0.2 * chosen[0] + 0.01 * sum(chosen[1:])
        universes = base.universes.model_copy(
            update={"probability_of_loss": share(loss, max(loss - 0.05, 0.0), loss + 0.05)}
        )
        real = base.backtest | {"total_return": 0.1 * chosen[0] - 0.01 * sum(chosen)}
        name = f"s[{label}]"
        sets.append(replace(base, name=name, parameters=parameters, universes=universes, backtest=real))
    result = make_result("follow", universes=40, horizon=20)
    return replace(result, strategies=sets[drop:], config=result.config | {"grid": values})
