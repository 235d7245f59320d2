"""Keys and values that attention has already seen: one part shared by all universes, one of each universe's own.

The shared part is the history, prefilled once; the own part grows bar by bar. Shapes: N universes, H heads, D head
width, L shared positions, S own positions, T new positions. Which network asks is not known here.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from stresslab.generators.kronos.layers import Attention, Block, rotate


@dataclass
class Memory:
    """The memory of one attention layer.

    Attributes:
        shared_keys: (1, H, L, D), L may be 0.
        shared_values: (1, H, L, D).
        room: own positions to make room for.
    """

    shared_keys: Tensor
    shared_values: Tensor
    room: int
    _keys: Tensor | None = field(default=None, init=False)
    _values: Tensor | None = field(default=None, init=False)
    _filled: int = field(default=0, init=False)

    @classmethod
    def empty(cls, attention: Attention, room: int) -> Memory:
        """A memory without a shared part."""
        weight = attention.q_proj.weight
        nothing = weight.new_empty(1, attention.heads, 0, weight.shape[0] // attention.heads)
        return cls(nothing, nothing, room)

    def fork(self, room: int) -> Memory:
        """A memory that shares what this one, of a single sequence, holds, with an own part still empty."""
        keys, values = self._own()
        return Memory(torch.cat([self.shared_keys, keys], 2), torch.cat([self.shared_values, values], 2), room)

    def append(self, keys: Tensor, values: Tensor) -> None:
        """Remember new positions (N, H, T, D)."""
        if self._keys is None or self._values is None:
            shape = (*keys.shape[:2], self.room, keys.shape[3])
            self._keys, self._values = keys.new_empty(shape), values.new_empty(shape)
        end = self._filled + keys.shape[2]
        self._keys[:, :, self._filled : end], self._values[:, :, self._filled : end] = keys, values
        self._filled = end

    def attend(self, queries: Tensor) -> Tensor:
        """Mix values for queries (N, H, T, D) of the last T own positions, each seeing the past and itself."""
        return self._attend_one(queries) if queries.shape[2] == 1 else self._attend_many(queries)

    def _own(self) -> tuple[Tensor, Tensor]:
        if self._keys is None or self._values is None:
            return self.shared_keys[:, :, :0], self.shared_values[:, :, :0]
        return self._keys[:, :, : self._filled], self._values[:, :, : self._filled]

    def _attend_one(self, queries: Tensor) -> Tensor:
        """One soft-max over both parts; the shared scores are one matrix product over all universes."""
        keys, values = self._own()
        scaled = queries * queries.shape[-1] ** -0.5
        together = scaled[:, :, 0].transpose(0, 1)  # (H, N, D)
        shared = torch.matmul(together, self.shared_keys[0].transpose(-1, -2)).transpose(0, 1)  # (N, H, L)
        own = torch.matmul(scaled, keys.transpose(-1, -2))[:, :, 0]  # (N, H, S)
        chances = torch.cat([shared, own], dim=-1).softmax(dim=-1)
        of_shared, of_own = chances.split([shared.shape[-1], own.shape[-1]], dim=-1)
        from_shared = torch.matmul(of_shared.transpose(0, 1), self.shared_values[0]).transpose(0, 1)  # (N, H, D)
        return from_shared.unsqueeze(2) + torch.matmul(of_own.unsqueeze(2), values)

    def _attend_many(self, queries: Tensor) -> Tensor:
        """Many positions at once, where copying the shared part to every universe costs little beside the rest."""
        keys, values = self._own()
        count, new = queries.shape[0], queries.shape[2]
        all_keys = torch.cat([self.shared_keys.expand(count, -1, -1, -1), keys], dim=2)
        all_values = torch.cat([self.shared_values.expand(count, -1, -1, -1), values], dim=2)
        before = all_keys.shape[2] - new
        if before == 0:
            return functional.scaled_dot_product_attention(queries, all_keys, all_values, is_causal=True)
        seen = torch.ones(new, before + new, dtype=torch.bool, device=queries.device).tril(before)
        return functional.scaled_dot_product_attention(queries, all_keys, all_values, attn_mask=seen)


class Stream:
    """Transformer blocks that go on position by position: first over what is shared, then over what is each one's own.

    Args:
        blocks: `Block`s.
        room: positions to make room for.
    """

    def __init__(self, blocks: nn.ModuleList, room: int) -> None:
        self.blocks = cast(list[Block], list(blocks))
        self.memories = [Memory.empty(block.self_attn, room) for block in self.blocks]
        self.position = 0

    def fork(self, room: int) -> Stream:
        """A stream for any number of sequences that all go on from this one's."""
        forked = copy(self)
        forked.memories = [memory.fork(room) for memory in self.memories]
        return forked

    def extend(self, x: Tensor) -> Tensor:
        """Run the blocks on the next T positions (N, T, D), and remember them; returns (N, T, D)."""
        new = x.shape[1]
        for block, memory in zip(self.blocks, self.memories, strict=True):
            attention, normed = block.self_attn, block.norm1(x)
            angles = attention.rotary.angles(new, self.position)
            memory.append(rotate(keys_of(attention, normed), *angles), values_of(attention, normed))
            mixed = memory.attend(rotate(queries_of(attention, normed), *angles))
            x = x + attention.out_proj(mixed.transpose(1, 2).flatten(2))
            x = x + block.ffn(block.norm2(x))
        self.position += new
        return x


def queries_of(attention: Attention, x: Tensor) -> Tensor:
    """Queries (N, H, T, D) of x (N, T, H D)."""
    return attention.split(attention.q_proj(x))


def keys_of(attention: Attention, x: Tensor) -> Tensor:
    """Keys (N, H, T, D) of x (N, T, H D)."""
    return attention.split(attention.k_proj(x))


def values_of(attention: Attention, x: Tensor) -> Tensor:
    """Values (N, H, T, D) of x (N, T, H D)."""
    return attention.split(attention.v_proj(x))
