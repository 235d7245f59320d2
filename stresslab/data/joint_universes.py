"""Joint universes: N continuations of a market, in each of which its K symbols go on together.

The real market is a JointUniverses with N = 1; shards on disk have a column that names the symbol. Where universes
come from is for the generators to know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.core.errors import DataError
from stresslab.data.bars import FIELDS, Bars
from stresslab.data.field_frames import FieldFrames
from stresslab.data.market import Market
from stresslab.data.universes import (
    SHARD,
    SYMBOL,
    Universes,
    about_shard,
    facts_of,
    history_table,
    save_shards,
    shard_table,
    shards,
    write_parquet,
)


@dataclass(frozen=True, eq=False)
class JointUniverses(FieldFrames):
    """N continuations of a market of K symbols.

    Attributes:
        values: (N, K, T, F) float32 or float64, symbols in the order of the market, fields in that of `FIELDS`.
        timestamps: (T,) of the bars.
        history: the real market up to the origin.
        ids: (N,) universe ids; `REAL` for the real market.
        facts: what the generator says about itself and these universes, as plain JSON.
    """

    values: NDArray[Any]
    timestamps: pd.DatetimeIndex
    history: Market
    ids: NDArray[np.int64]
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check that the shapes belong together and freeze the array."""
        expected = (len(self.ids), len(self.symbols), len(self.timestamps), len(FIELDS))
        if self.values.shape != expected:
            raise DataError(f"values of shape {self.values.shape} do not fit ids, symbols, bars and fields {expected}")
        self.values.setflags(write=False)

    @classmethod
    def join(cls, parts: Sequence[Universes], history: Market, facts: Mapping[str, Any]) -> JointUniverses:
        """Universes of each symbol, of the same ids, side by side; their own facts stand under "symbols"."""
        values = np.stack([part.values for part in parts], axis=1)
        own = {symbol: dict(part.facts) for symbol, part in zip(history.symbols, parts, strict=True)}
        repaired = sum(int(part.facts.get("repaired_bars", 0)) for part in parts)
        described = {**facts, "repaired_bars": repaired, "symbols": own}
        return cls(values, parts[0].timestamps, history, parts[0].ids, described)

    @classmethod
    def concatenate(cls, parts: Sequence[JointUniverses]) -> JointUniverses:
        """Universes of one market and the same time stamps, in the order given."""
        first = parts[0]
        values, ids = np.concatenate([part.values for part in parts]), np.concatenate([part.ids for part in parts])
        facts = facts_of([part.facts for part in parts], [len(part) for part in parts])
        return cls(values, first.timestamps, first.history, ids, facts)

    def __len__(self) -> int:
        """Number of universes N."""
        return len(self.ids)

    def __repr__(self) -> str:
        """One line: how many universes of how many bars, of what and from when."""
        span = f"{self.timestamps[0]} to {self.timestamps[-1]}"
        return f"JointUniverses({len(self):,} of {self.history.symbol}, {self.horizon} bars, {span})"

    def __getitem__(self, symbol: str) -> Universes:
        """The universes of one symbol: its own continuation in each joint universe."""
        bars = self.history.bars(symbol)
        values = self.values[:, self.symbols.index(symbol)]
        facts = self.facts.get("symbols", {}).get(symbol, self.facts)
        return Universes(values, self.timestamps, bars, self.ids, facts)

    @property
    def symbols(self) -> tuple[str, ...]:
        """Names of the K symbols."""
        return self.history.symbols

    @property
    def horizon(self) -> int:
        """Number of bars T."""
        return len(self.timestamps)

    def take(self, positions: Sequence[int] | NDArray[np.integer] | slice) -> JointUniverses:
        """The universes at these positions."""
        return JointUniverses(self.values[positions], self.timestamps, self.history, self.ids[positions], self.facts)

    def frame(self, name: str) -> pd.DataFrame:
        """One field as a (T, K N) frame: index time stamps, columns (symbol, universe)."""
        values = self.values[..., FIELDS.index(name)]  # (N, K, T)
        columns = pd.MultiIndex.from_product([self.symbols, self.ids], names=["symbol", "universe"])
        return pd.DataFrame(values.transpose(2, 1, 0).reshape(self.horizon, -1), index=self.timestamps, columns=columns)

    def save(self, folder: str | Path, shard: int = SHARD) -> list[Path]:
        """Write the universes as parquet shards (symbol, universe, step, timestamp, six fields) and the history.

        Returns:
            The paths of the shards, each of which is whole.
        """
        return save_shards(self, folder, shard)

    def save_shard(self, path: Path) -> None:
        """Write these universes as one shard, symbol after symbol; `save_history` writes the history beside it."""
        about = _about(self.history) | {"facts": dict(self.facts)}
        parts = [shard_table(self.values[:, at], self.timestamps, self.ids, about) for at in range(len(self.symbols))]
        write_parquet(_by_symbol(parts, self.symbols), path)

    @staticmethod
    def save_history(history: Market, path: Path) -> None:
        """Write the history that shards share, symbol after symbol."""
        about = _about(history)
        write_parquet(_by_symbol([history_table(bars, about) for bars in history], history.symbols), path)

    @classmethod
    def load(cls, folder: str | Path) -> JointUniverses:
        """Read joint universes that `save` or `stresslab sample` wrote, all of them."""
        return cls.concatenate([cls.load_shard(path) for path in shards(folder)])

    @classmethod
    def load_shard(cls, path: str | Path) -> JointUniverses:
        """Read the universes of one shard, beside which the history lies.

        Raises:
            DataError: the shard holds one series.
        """
        import pyarrow.parquet as pq

        table = pq.read_table(path)
        if SYMBOL not in table.column_names:
            raise DataError(f"{path} holds universes of one series; read them by Universes.load")
        about, ids = about_shard(table), table["universe"].to_numpy()
        history = _history(str(Path(path).parent.resolve()), about["history_digest"])
        some, count = np.unique(ids, return_index=True)[1], len(history.symbols)
        horizon = len(ids) // (len(some) * count)
        flat = np.stack([table[name].to_numpy() for name in FIELDS], axis=-1)
        values = flat.reshape(count, len(some), horizon, len(FIELDS)).swapaxes(0, 1)
        timestamps = pd.DatetimeIndex(table["timestamp"].to_numpy()[:horizon])
        own = ids[: len(some) * horizon : horizon].astype(np.int64)
        return cls(np.ascontiguousarray(values), timestamps, history, own, about["facts"])


def _by_symbol(parts: Sequence[Any], symbols: Sequence[str]) -> Any:
    """Tables of each symbol below one another, with a column that names it."""
    import pyarrow as pa

    named = [
        part.add_column(0, SYMBOL, pa.array([symbol] * len(part)).dictionary_encode())
        for part, symbol in zip(parts, symbols, strict=True)
    ]
    return pa.concat_tables(named).unify_dictionaries()


def _about(history: Market) -> dict[str, Any]:
    return {
        "symbols": list(history.symbols), "sources": [bars.source for bars in history],
        "history_digest": history.digest,
    }  # fmt: skip


@lru_cache(maxsize=4)
def _history(folder: str, digest: str) -> Market:
    """The history in a folder of shards; the digest distinguishes it from one written there later."""
    import pyarrow.parquet as pq

    past = pq.read_table(Path(folder) / "history.parquet")
    about, frame = about_shard(past), past.to_pandas()
    series = []
    for symbol, source in zip(about["symbols"], about["sources"], strict=True):
        own = frame[frame[SYMBOL] == symbol].drop(columns=SYMBOL)
        series.append(Bars.from_frame(own, symbol=symbol, source=source))
    return Market(tuple(series))
