from __future__ import annotations

import inspect
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from vectorbt.portfolio import dispatch, enums
from vectorbt.portfolio.enums import SizeType, TradeStatus

from stresslab.backtest import vectorbt_kernels as kernels
from stresslab.backtest.orders import Signals
from stresslab.backtest.vectorbt_fills import fill
from stresslab.data.universes import Universes
from stresslab.generators.bootstrap import StationaryBootstrap
from tests.make.bars import make_bars


def universes() -> Universes:
    """Forty of sixty bars."""
    return StationaryBootstrap().sample(make_bars(), 60, 40, 3)


def orders(kind: str, shape: tuple[int, int]) -> Any:
    """Signals or weights of chance, shorts among them."""
    rng = np.random.default_rng(5)
    if kind == "weights":
        return rng.uniform(-1, 1, shape) * (rng.random(shape) < 0.3)
    return Signals(*(rng.random(shape) < 0.1 for _ in range(4)))


@pytest.mark.parametrize("kind", ["signals", "weights"])
def test_accounts_are_those_of_vectorbts_own_dispatch(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bit for bit, in every array, with slippage by bar and short accounts that are ruined."""
    sampled = universes()
    opens, closes = (frame.to_numpy(dtype=np.float64, copy=True) for frame in (sampled.open, sampled.close))
    closes[30:, :5] *= 8.0  # who is short there is ruined
    slippage = np.random.default_rng(1).uniform(0, 0.002, opens.shape)
    given = (orders(kind, opens.shape), opens, closes, 0.001, slippage, 12_345.0, sampled.ids, sampled.timestamps)
    assert kernels.rust() is not None
    direct, short = fill(*given)
    monkeypatch.setattr(kernels, "rust", lambda: None)
    theirs, short_too = fill(*given)
    assert direct.ruined.any()
    for name in ("equity", "position", "traded", "trades", "wins", "gross_profit", "gross_loss", "ruined"):
        assert getattr(direct, name).tobytes() == getattr(theirs, name).tobytes(), name
    assert (short == short_too).all()


@pytest.mark.parametrize(
    ("function", "direction"),
    [(dispatch.simulate_from_signals, kernels.SIGNALS), (dispatch.simulate_from_orders, kernels.ORDERS)],
)
def test_defaults_are_vectorbts(function: Any, direction: Any) -> None:
    """Each argument that a run does not give has the value and the type that vectorbt gives it."""
    ours = {**kernels.DEFAULTS, "direction": direction}
    theirs = {name: one.default for name, one in inspect.signature(function).parameters.items() if name in ours}
    assert len(theirs) > 15
    for name, value in theirs.items():
        assert value.dtype == ours[name].dtype, name
        assert value.tobytes() == ours[name].tobytes(), name
    assert dict(kernels.RECORD_TYPES) == {name: getattr(enums, name) for name in kernels.RECORD_TYPES}
    assert (SizeType.TargetPercent, TradeStatus.Closed) == (kernels.TARGET_PERCENT, kernels.CLOSED)


def test_another_version_of_the_engine_is_left_to_vectorbt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose arguments are not known here is not called."""
    import vectorbt_rust

    kernels.rust.cache_clear()
    try:
        monkeypatch.setattr(vectorbt_rust, "__version__", "1.9.0")
        assert kernels.rust() is None
    finally:
        kernels.rust.cache_clear()


def test_a_backtest_needs_no_import_of_vectorbt() -> None:
    """Neither it nor plotly is there after strategies were run."""
    code = (
        "import sys, numpy as np, stresslab as sl\n"
        "from stresslab.backtest import Terms, buy_and_hold\n"
        "bars = sl.load_bars('sample:bitcoin')\n"
        "buy_and_hold(sl.Universes.from_bars(bars[500:600], bars[:500]), Terms())\n"
        "assert not [name for name in sys.modules if name.startswith('vectorbt.')]\n"
        "print([name for name in ('vectorbt', 'plotly', 'torch') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
