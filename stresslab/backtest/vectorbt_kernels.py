"""vectorbt's compiled kernels, called without the rest of vectorbt, whose import takes two seconds of every process.

These are the functions that `vectorbt.portfolio.dispatch` calls itself, with its defaults, so accounts are the same bit
for bit. Where the Rust engine is missing, or is another than the one whose arguments are known here, vectorbt's own
dispatch is called instead.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from types import MappingProxyType, ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stresslab.core.arrays import FloatArray

KNOWN = "1.2."
"""Versions of the Rust engine whose arguments these are."""
TARGET_PERCENT, CLOSED = 5, 1
"""`SizeType.TargetPercent` and `TradeStatus.Closed` of vectorbt."""
DEFAULTS: Mapping[str, NDArray[Any]] = MappingProxyType(
    {
        **{name: np.asarray(False) for name in ("entries", "exits", "sl_trail", "lock_cash", "raise_reject", "log")},
        **{name: np.asarray(False) for name in ("long_entries", "long_exits", "short_entries", "short_exits")},
        **{name: np.asarray(np.inf) for name in ("size", "price", "max_size", "val_price")},
        **{name: np.asarray(0) for name in ("size_type", "accumulate", "stop_exit_price", "upon_stop_exit")},
        **{name: np.asarray(0) for name in ("upon_long_conflict", "upon_short_conflict", "upon_dir_conflict")},
        **{name: np.asarray(0.0) for name in ("fees", "fixed_fees", "slippage", "min_size", "reject_prob")},
        **{name: np.asarray(np.nan) for name in ("size_granularity", "open", "high", "low", "close", "sl_stop")},
        "tp_stop": np.asarray(np.nan),
        "allow_partial": np.asarray(True),
        "upon_opposite_entry": np.asarray(4),
        "stop_entry_price": np.asarray(3),
        "upon_stop_update": np.asarray(1),
    }
)
"""Of both simulations; `direction` is each one's own."""
SIGNALS, ORDERS = np.asarray(0), np.asarray(2)
"""The default direction of each: long only, and both."""
WHOLE, RECORDS = "vectorbt", "vectorbt.portfolio.enums"
"""All of it, and where it has the types of its records."""
ORDER_FIELDS = "id:q col:q idx:q size:d price:d fees:d side:q"
TRADE_FIELDS = (
    "id:q col:q size:d entry_idx:q entry_price:d entry_fees:d exit_idx:q exit_price:d exit_fees:d pnl:d return:d "
    "direction:q status:q parent_id:q"
)
LOG_FIELDS = (
    "id:q group:q col:q idx:q cash:d position:d debt:d free_cash:d val_price:d value:d req_size:d req_price:d "
    "req_size_type:q req_direction:q req_fees:d req_fixed_fees:d req_slippage:d req_min_size:d req_max_size:d "
    "req_size_granularity:d req_reject_prob:d req_lock_cash:? req_allow_partial:? req_raise_reject:? req_log:? "
    "new_cash:d new_position:d new_debt:d new_free_cash:d new_val_price:d new_value:d res_size:d res_price:d "
    "res_fees:d res_side:q res_status:q res_status_info:q order_id:q"
)


def _record(fields: str) -> np.dtype[Any]:
    """The type of records with these fields, laid out as a C compiler would."""
    return np.dtype([(name, kind) for name, kind in (field.split(":") for field in fields.split())], align=True)


RECORD_TYPES = MappingProxyType(
    {"order_dt": _record(ORDER_FIELDS), "trade_dt": _record(TRADE_FIELDS), "log_dt": _record(LOG_FIELDS)}
)
"""Of a fill, a trade, and a line of a log, by vectorbt's names."""
ACCOUNT = ("target_shape", "group_lens", "init_cash", "call_seq")
OPTIONS = (
    *("use_stops", "auto_call_seq", "ffill_val_price", "update_value", "max_orders", "max_logs"),
    *("init_temp_records", "seed", "flex_2d"),
)


def simulate_from_signals(*account: Any, use_stops: bool, **given: Any) -> tuple[NDArray[Any], Any]:
    """Records of orders; see `vectorbt.portfolio.dispatch.simulate_from_signals`."""
    engine = rust()
    if engine is None:
        from vectorbt.portfolio import dispatch

        return dispatch.simulate_from_signals(*account, **given, use_stops=use_stops)  # type: ignore[no-any-return] # vectorbt is not typed
    arrays = {**DEFAULTS, "direction": SIGNALS, **given}
    with _record_types():
        kernel = engine.portfolio.simulate_from_signals_rs
        return kernel(*account, **arrays, use_stops=use_stops)  # type: ignore[no-any-return] # nor are its kernels


def simulate_from_orders(*account: Any, **given: Any) -> tuple[NDArray[Any], Any]:
    """Records of orders; see `vectorbt.portfolio.dispatch.simulate_from_orders`."""
    engine = rust()
    if engine is None:
        from vectorbt.portfolio import dispatch

        return dispatch.simulate_from_orders(*account, **given)  # type: ignore[no-any-return] # vectorbt is not typed
    arrays = {**DEFAULTS, "direction": ORDERS, **given}
    kernel = engine.portfolio.simulate_from_orders_rs
    with _record_types():
        given = {name: arrays[name] for name in _arrays_of(kernel)}
        return kernel(*account, **given)  # type: ignore[no-any-return] # nor are its kernels


def cash_units_and_trades(
    fills: NDArray[Any], closes: FloatArray, init_cash: FloatArray
) -> tuple[FloatArray, FloatArray, NDArray[Any]]:
    """Cash and units after the fills of each row (T, N), and the records of trades, from records of orders.

    Args:
        fills: records of orders.
        closes: (T, N).
        init_cash: (N,).
    """
    engine, shape, both = rust(), closes.shape, 2
    if engine is None:
        from vectorbt.portfolio import dispatch
        from vectorbt.records.dispatch import col_map

        columns = col_map(fills["col"], shape[1])
        cash = dispatch.cash(dispatch.cash_flow(shape, fills, columns, False), init_cash)
        units = dispatch.assets(dispatch.asset_flow(shape, fills, columns, both))
        return cash, units, dispatch.get_exit_trades(fills, closes, columns)
    of, columns = engine.portfolio, engine.records.col_map_rs(np.asarray(fills["col"], dtype=np.int64), shape[1])
    cash = of.cash_rs(of.cash_flow_rs(fills, *columns, shape, False), init_cash)
    units = of.assets_rs(of.asset_flow_rs(fills, *columns, shape, both))
    with _record_types():
        return cash, units, of.get_exit_trades_rs(fills, closes, *columns)


@contextmanager
def _record_types() -> Iterator[None]:
    """The types of records where the engine looks for them, as long as it is called, unless vectorbt is imported.

    It imports them by name, and with them all of vectorbt.
    """
    if WHOLE in sys.modules:
        yield
        return
    modules = {name: ModuleType(name) for name in (WHOLE, RECORDS)}
    vars(modules[RECORDS]).update(RECORD_TYPES)
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name, module in modules.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]


@lru_cache(maxsize=1)
def rust() -> Any:
    """The Rust engine, if it is there and is known."""
    try:
        import vectorbt_rust
    except ImportError:
        return None
    if not str(vectorbt_rust.__version__).startswith(KNOWN):
        return None
    kernels = (vectorbt_rust.portfolio.simulate_from_signals_rs, vectorbt_rust.portfolio.simulate_from_orders_rs)
    known = {*DEFAULTS, "direction"}
    return vectorbt_rust if all(set(_arrays_of(kernel)) <= known for kernel in kernels) else None


def _arrays_of(kernel: Callable[..., Any]) -> list[str]:
    """The names of a kernel's arrays: all of its arguments but the account and the options."""
    names = re.findall(r"(\w+)(?:=[^,()]*)?[,)]", str(getattr(kernel, "__text_signature__", None)))
    return [name for name in names if name not in (*ACCOUNT, *OPTIONS)]
