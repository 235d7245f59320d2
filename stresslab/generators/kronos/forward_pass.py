"""The transformer's forward pass over bars, going on from what it remembers; it draws no tokens.

Shapes: N universes, T bars that are read, V vocabulary, D width.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from stresslab.generators.kronos.inference_weights import Transformer
from stresslab.generators.kronos.kv_cache import CachedBlocks, Dependency, Shared, Table, tabled

Tokens = tuple[Tensor, Tensor]


class Pass:
    """The transformer's forward pass: the first call may read many bars, every later one a single bar."""

    def __init__(self, transformer: Transformer, count: int, room: int, history: History | None = None) -> None:
        self.transformer = transformer
        self.stream = CachedBlocks(transformer.blocks, count, room, history.blocks if history else ())
        self.dependency = Dependency(history.table if history else tabled(transformer.queries, None), count, room)
        self.hidden: Tensor | None = None  # of the last positions read

    def extend(self, tokens: Tokens, stamps: Tensor) -> Tensor:
        """Read the next T bars: tokens (N, T), embedded stamps (T, D). Returns their hidden states (N, T, D)."""
        hidden = self.transformer.norm(self.stream.extend(self.transformer.embed(*tokens) + stamps))
        self.dependency.memory.append(*self.transformer.remember(hidden))
        self.hidden = hidden
        return hidden

    def state(self, position: int) -> tuple[Tensor, Table]:
        """Of a single sequence: the hidden state (1, D) at a position, and what tokens find up to it."""
        assert self.hidden is not None
        known = self.dependency.memory.shared()
        seen = Shared(*(part[:, : position + 1].contiguous() for part in (known.keys, known.values)))
        return self.hidden[:, position], tabled(self.transformer.queries, seen)

    def fine_logits(self, last: Tensor, coarse: Tensor) -> Tensor:
        """Fine logits (N, V) given the last hidden states (N, D) and the coarse tokens (N,) drawn from them."""
        return self.transformer.fine_logits(last, coarse, self.dependency.attend(coarse))

    def history(self) -> History:
        """What passes of many universes share of this one, of a single sequence."""
        return History(self.stream.shared(), tabled(self.transformer.queries, self.dependency.memory.shared()))


@dataclass(frozen=True, eq=False)
class History:
    """The prefilled context: memories of the blocks, and what each coarse token finds in the dependency layer's."""

    blocks: list[Shared]
    table: Table
