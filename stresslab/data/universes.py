"""Universes: N continuations of one history, kept apart and never averaged; saved as parquet shards.

A real series is a Universes with N = 1, so that strategy, engine and measures know one kind of input. Where universes
come from is up to the generators.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, singledispatch
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.core.display import Plotted
from stresslab.core.errors import DataError
from stresslab.core.whole_files import put
from stresslab.data.bars import FIELDS, Bars
from stresslab.data.field_frames import FieldFrames

REAL = -1
"""The id of the real series."""
SHARD = 1000
SYMBOL = "symbol"
"""Column that shards of several symbols have besides."""
_METADATA_KEY = b"stresslab"


@dataclass(frozen=True, eq=False)
class Universes(FieldFrames, Plotted):
    """N continuations of one history.

    Attributes:
        values: (N, T, F) float32 or float64, fields in the order of `FIELDS`.
        timestamps: (T,) of the bars.
        history: the real bars up to the origin.
        ids: (N,) universe ids; `REAL` for the real series.
        facts: what the generator says about itself and about these universes, as plain JSON.
        log_probabilities: (N, T, draws) of what was drawn at each step given all before, under the generator's own
            distribution; None where they were not asked for. They are not saved.
    """

    values: NDArray[Any]
    timestamps: pd.DatetimeIndex
    history: Bars
    ids: NDArray[np.int64]
    facts: Mapping[str, Any] = field(default_factory=dict)
    log_probabilities: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        """Check that the shapes belong together and freeze the array."""
        expected = (len(self.ids), len(self.timestamps), len(FIELDS))
        if self.values.shape != expected:
            raise DataError(f"values of shape {self.values.shape} do not fit ids, timestamps and fields {expected}")
        self.values.setflags(write=False)

    @classmethod
    def from_bars(cls, future: Bars, history: Bars) -> Universes:
        """The real continuation of `history` as the one universe with id `REAL`."""
        return universe_of(future, history)

    @classmethod
    def concatenate(cls, parts: Sequence[Universes]) -> Universes:
        """Universes of one history and the same time stamps, in the order given; see `facts_of` for the facts."""
        first = parts[0]
        values, ids = np.concatenate([part.values for part in parts]), np.concatenate([part.ids for part in parts])
        scores = [part.log_probabilities for part in parts if part.log_probabilities is not None]
        together = np.concatenate(scores) if len(scores) == len(parts) else None
        facts = facts_of([part.facts for part in parts], [len(part) for part in parts])
        if type(first) is not Universes:
            payload = np.concatenate([part.payload for part in parts])
            return universes_after(first.history, payload, first.timestamps, ids, facts)
        return cls(values, first.timestamps, first.history, ids, facts, together)

    def __len__(self) -> int:
        """Number of universes N."""
        return len(self.ids)

    def __repr__(self) -> str:
        """One line: how many universes of how many bars, of what and from when."""
        span = f"{self.timestamps[0]} to {self.timestamps[-1]}"
        return f"Universes({len(self):,} of {self.history.symbol}, {self.horizon} bars, {span})"

    @property
    def payload(self) -> NDArray[Any]:
        """The numbers (N, ...) that `universes_after` makes these universes of again."""
        return self.values

    @property
    def horizon(self) -> int:
        """Number of bars T."""
        return len(self.timestamps)

    def take(self, positions: Sequence[int] | NDArray[np.integer] | slice) -> Universes:
        """The universes at these positions."""
        scores = None if self.log_probabilities is None else self.log_probabilities[positions]
        return Universes(self.values[positions], self.timestamps, self.history, self.ids[positions], self.facts, scores)

    def frame(self, name: str) -> pd.DataFrame:
        """One field as a (T, N) frame: index time stamps, columns universe ids."""
        return pd.DataFrame(self.values[:, :, FIELDS.index(name)].T, index=self.timestamps, columns=self.ids)

    def save(self, folder: str | Path, shard: int = SHARD) -> list[Path]:
        """Write the universes as parquet shards (universe, step, timestamp, six float32 fields) and the history.

        Each shard is written under a temporary name, synced and renamed, so a shard that is there is whole.

        Returns:
            The paths of the shards.
        """
        return save_shards(self, folder, shard)

    def save_shard(self, path: Path) -> None:
        """Write these universes as one shard; `save_history` writes the history beside it."""
        write_parquet(self._table(_about(self.history) | {"facts": dict(self.facts)}), path)

    @staticmethod
    def save_history(history: Bars, path: Path) -> None:
        """Write the history that shards share."""
        write_parquet(history_table(history, _about(history)), path)

    def _table(self, about: Mapping[str, Any]) -> Any:
        return shard_table(self.values, self.timestamps, self.ids, about)

    @classmethod
    def load(cls, folder: str | Path) -> Universes:
        """Read universes that `save` wrote, all of them; `shards` and `load_shard` read one file at a time."""
        return cls.concatenate([cls.load_shard(path) for path in shards(folder)])

    @classmethod
    def load_shard(cls, path: str | Path) -> Universes:
        """Read the universes of one shard, beside which the history lies."""
        import pyarrow.parquet as pq

        table = pq.read_table(path)
        if SYMBOL in table.column_names:
            raise DataError(f"{path} holds universes of several symbols; read them by JointUniverses.load")
        about = about_shard(table)
        ids = table["universe"].to_numpy()
        horizon = len(ids) // len(np.unique(ids))
        values = np.stack([table[name].to_numpy() for name in FIELDS], axis=-1).reshape(-1, horizon, len(FIELDS))
        timestamps = pd.DatetimeIndex(table["timestamp"].to_numpy()[:horizon])
        history = _history(str(Path(path).parent.resolve()), about["history_digest"])
        return cls(values, timestamps, history, ids[::horizon].astype(np.int64), about["facts"])


def shard_table(
    values: NDArray[Any], timestamps: pd.DatetimeIndex, ids: NDArray[np.int64], about: Mapping[str, Any]
) -> Any:
    """The table of a shard, a row for each universe and bar, of values (N, T, F)."""
    import pyarrow as pa

    values = values.astype(np.float32, copy=False)
    count, steps = values.shape[:2]
    columns: dict[str, Any] = {
        "universe": np.repeat(ids.astype(np.int32), steps),
        "step": np.tile(np.arange(steps, dtype=np.int16 if steps < 2**15 else np.int32), count),
        "timestamp": np.tile(timestamps.to_numpy(), count),
    }
    columns |= {name: values[:, :, position].reshape(-1) for position, name in enumerate(FIELDS)}
    return pa.table(columns).replace_schema_metadata({_METADATA_KEY: json.dumps(about).encode()})


def about_shard(table: Any) -> dict[str, Any]:
    """What a shard or history says about itself."""
    return dict(json.loads(table.schema.metadata[_METADATA_KEY]))


@singledispatch
def universe_of(future: Bars, history: Bars) -> Universes:
    """The real continuation of a history as one universe."""
    return Universes(future.values[None], future.timestamps, history, np.array([REAL], dtype=np.int64))


@singledispatch
def universes_after(
    history: Bars,
    payload: NDArray[Any],
    timestamps: pd.DatetimeIndex,
    ids: NDArray[np.int64],
    facts: Mapping[str, Any] | None = None,
) -> Universes:
    """Universes of a history from their `payload`."""
    return Universes(payload, timestamps, history, ids, facts or {})


def facts_of(parts: Sequence[Mapping[str, Any]], counts: Sequence[int]) -> dict[str, Any]:
    """The facts of universes side by side: bars are added up, shares averaged, and all else is the first part's."""
    facts = dict(parts[0])
    if "repaired_bars" in facts:
        facts["repaired_bars"] = sum(int(part["repaired_bars"]) for part in parts)
    if "support_share" in facts:
        facts["support_share"] = float(np.average([part["support_share"] for part in parts], weights=counts))
    return facts


def save_shards(universes: Any, folder: str | Path, shard: int = SHARD) -> list[Path]:
    """Write universes, of one series or joint ones, as shards of so many beside their history; see `Universes.save`."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    put(folder / "history.parquet", lambda path: universes.save_history(universes.history, path))
    paths = []
    for start in range(0, len(universes), shard):
        paths.append(folder / f"universes-{start:09d}.parquet")
        put(paths[-1], universes.take(slice(start, start + shard)).save_shard)
    return paths


def shards(folder: str | Path) -> list[Path]:
    """The files of universes in a folder, in order.

    Raises:
        DataError: there are none.
    """
    folder = Path(folder)
    paths = sorted(folder.glob("universes-*.parquet"))
    if not paths or not (folder / "history.parquet").is_file():
        raise DataError(f"{folder} holds no universes; name a folder that `stresslab sample` wrote")
    return paths


@lru_cache(maxsize=4)
def _history(folder: str, digest: str) -> Bars:
    """The history in a folder of shards; the digest distinguishes it from one written there later."""
    import pyarrow.parquet as pq

    past = pq.read_table(Path(folder) / "history.parquet")
    about = about_shard(past)
    return Bars.from_frame(past.to_pandas(), symbol=about["symbol"], source=about["source"])


def history_table(history: Bars, about: Mapping[str, Any]) -> Any:
    """The table of real bars."""
    import pyarrow as pa

    columns: dict[str, Any] = {"timestamp": history.timestamps.to_numpy()}
    columns |= {name: history.values[:, position] for position, name in enumerate(FIELDS)}
    return pa.table(columns).replace_schema_metadata({_METADATA_KEY: json.dumps(about).encode()})


def _about(history: Bars) -> dict[str, Any]:
    return {"symbol": history.symbol, "source": history.source, "history_digest": history.digest}


def write_parquet(table: Any, path: Path) -> None:
    """Write a table as every shard is."""
    import pyarrow.parquet as pq

    pq.write_table(table, path, compression="zstd")
