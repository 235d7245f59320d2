"""What attention has already seen: one part shared by all universes, one of each universe's own.

The shared part is the history, prefilled once; the own part grows bar by bar. Shapes: N universes, H heads, E head
width, L shared positions, T new positions, V tokens. Which network asks is not known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from stresslab.generators.kronos import attention, kernels
from stresslab.generators.kronos.inference_weights import Block
from stresslab.generators.kronos.layers import rotate


@dataclass(frozen=True, eq=False)
class Shared:
    """Keys and values (H, L, E) of a history."""

    keys: Tensor
    values: Tensor

    @classmethod
    def none(cls, heads: int, width: int, like: Tensor) -> Shared:
        """Those of no history."""
        nothing = like.new_empty(heads, 0, width)
        return cls(nothing, nothing)


class KVCache:
    """Keys and values (T, H, N, E) of the universes' own positions in one attention layer."""

    def __init__(self, shape: tuple[int, int, int, int], like: Tensor) -> None:
        """Leave room for keys and values of that shape."""
        self.keys, self.values, self.filled = like.new_empty(shape), like.new_empty(shape), 0
        self.by = kernels if like.device.type == "cpu" else attention

    def append(self, keys: Tensor, values: Tensor) -> None:
        """Remember new positions (T, H, N, E)."""
        end = self.filled + len(keys)
        self.keys[self.filled : end], self.values[self.filled : end] = keys, values
        self.filled = end

    def append_turned(self, qkv: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """Rotate and remember one position of (N, 3, H, E); returns its rotated queries (H, N, E), float32."""
        queries = self.by.turn(qkv, cos, sin, self.keys[self.filled], self.values[self.filled])
        self.filled += 1
        return queries

    def attend(self, queries: Tensor, scores: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """See `attention.attend`; the scores of the shared positions are not needed afterwards."""
        return self.by.attend(queries, self.keys[: self.filled], self.values[: self.filled], scores)

    def shared(self) -> Shared:
        """What this memory of a single sequence has to share."""
        keys, values = (part[: self.filled, :, 0].transpose(0, 1).contiguous() for part in (self.keys, self.values))
        return Shared(keys, values)


class CachedBlocks:
    """Transformer blocks that go on position by position: first over what is shared, then over what is each one's own.

    The first call may hand over many positions, every later one a single position.
    """

    def __init__(self, blocks: Sequence[Block], count: int, room: int, history: Sequence[Shared] = ()) -> None:
        """Go on from what is shared with `count` sequences, of which `room` positions each will be remembered."""
        self.blocks, self.room = blocks, room
        self.history = history or [Shared.none(block.heads, block.width, block.like) for block in blocks]
        rooms = max(1, room)  # where a single position passes through
        self.memories = [KVCache((rooms, block.heads, count, block.width), block.like) for block in blocks]
        self.position = self.history[0].keys.shape[1] if blocks else 0

    def extend(self, x: Tensor) -> Tensor:
        """Run the blocks on the next T positions (N, T, D), and remember them; returns (N, T, D)."""
        new = x.shape[1]
        if not self.blocks:
            return x
        angles = self.blocks[0].rotary.angles(new, self.position)
        for block, memory, history in zip(self.blocks, self.memories, self.history, strict=True):
            if new == 1:
                x = block.finish(x, self._one(block.ask(x[:, 0]), angles, memory, history).unsqueeze(1))
            else:
                x = block.finish(x, self._many(block.ask(x), angles, memory, history))
        self.position += new
        return x

    def shared(self) -> list[Shared]:
        """What streams of others may share of this one, of a single sequence without a shared part."""
        return [memory.shared() for memory in self.memories]

    def _one(self, qkv: Tensor, angles: tuple[Tensor, Tensor], memory: KVCache, history: Shared) -> Tensor:
        """Mix values (N, H E) for one position of (N, 3, H, E); the shared scores are one product over all."""
        cos, sin = angles
        queries = memory.append_turned(qkv, cos[0], sin[0])
        scores = torch.bmm(queries.to(qkv.dtype), history.keys.transpose(1, 2))  # (H, N, L)
        own, weights, scale = memory.attend(queries, scores)
        return memory.by.merge(own, torch.bmm(weights, history.values), scale)

    def _many(self, qkv: Tensor, angles: tuple[Tensor, Tensor], memory: KVCache, history: Shared) -> Tensor:
        """Mix values (N, T, H E) for the first positions of (N, T, 3, H, E)."""
        queries, keys, values = qkv.permute(2, 0, 3, 1, 4)  # (N, H, T, E) each
        queries, keys = rotate(queries.float(), *angles).type_as(qkv), rotate(keys.float(), *angles).type_as(qkv)
        if self.room:
            memory.append(keys.permute(2, 1, 0, 3), values.permute(2, 1, 0, 3))
        mixed, logs = attention.attend_all(queries, keys, values, causal=True)
        if history.keys.shape[1]:
            together = queries.transpose(0, 1).flatten(1, 2)[None]  # (1, H, N T, E)
            past, past_logs = attention.attend_all(together, history.keys[None], history.values[None], causal=False)
            past, past_logs = (part[0].unflatten(1, (len(qkv), -1)).transpose(0, 1) for part in (past, past_logs))
            mixed = torch.lerp(mixed, past, (past_logs - logs).sigmoid().unsqueeze(-1).to(mixed.dtype))
        return mixed.transpose(1, 2).flatten(2)


@dataclass(frozen=True, eq=False)
class Table:
    """What the query of each token finds in a history.

    Attributes:
        queries: (H, V, E), float32.
        logs: (H, V), the logarithm of the sum of exponential scores.
        mixed: (H, V, E), the history's values mixed.
    """

    queries: Tensor
    logs: Tensor
    mixed: Tensor


class Dependency:
    """The dependency layer's attention, asked by tokens, so that a whole history counts as one position in a table."""

    def __init__(self, table: Table, count: int, room: int) -> None:
        """Go on from the history of `table` with `count` universes."""
        heads, _, width = table.queries.shape
        self.table, self.memory = table, KVCache((room, heads, count, width), table.mixed)

    def attend(self, tokens: Tensor) -> Tensor:
        """Mix values (N, H E) for the queries of tokens (N,)."""
        queries, logs, mixed = (part[:, tokens] for part in (self.table.queries, self.table.logs, self.table.mixed))
        own, weights, scale = self.memory.attend(queries, logs.unsqueeze(-1))
        return self.memory.by.merge(own, (weights * mixed).to(mixed.dtype), scale)


def tabled(queries: Tensor, history: Shared | None) -> Table:
    """What queries (H, V, E) find in a history, or in none."""
    if history is None:
        return Table(
            queries.float(), queries.new_full(queries.shape[:2], -torch.inf).float(), torch.zeros_like(queries)
        )
    mixed, logs = attention.attend_all(queries[None], history.keys[None], history.values[None], causal=False)
    return Table(queries.float(), logs[0].float(), mixed[0])
