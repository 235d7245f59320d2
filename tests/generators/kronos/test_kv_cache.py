"""What is remembered position by position against the whole sequence computed at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from stresslab.generators.kronos import attention, kv_cache, layers
from stresslab.generators.kronos.inference_weights import Block, Transformer
from stresslab.generators.kronos.kv_cache import CachedBlocks, Dependency, Shared, tabled
from tests.generators.kronos.cases import tiny_networks
from tests.generators.kronos.reference import decode_s2

WIDTH = 12
CLOSE = {"rtol": 1e-4, "atol": 1e-4}


def blocks(count: int = 2) -> tuple[Callable[[torch.Tensor], torch.Tensor], list[Block]]:
    """Blocks with random weights, as one function of a whole sequence and as what is cached."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        plain = [layers.Block(WIDTH, 3, 20, feed_forward=0, attention=0, residual=0).eval() for _ in range(count)]
    return torch.nn.Sequential(*plain), [Block(one, torch.float32) for one in plain]


def rows(*shape: int, seed: int = 1) -> torch.Tensor:
    """Random numbers (..., WIDTH)."""
    return torch.randn(*shape, WIDTH, generator=torch.Generator().manual_seed(seed))


@settings(deadline=None, max_examples=25)
@given(
    past=st.integers(0, 6),
    first=st.integers(1, 5),
    more=st.integers(0, 4),
    count=st.integers(1, 4),
    compiled=st.booleans(),
)
@torch.no_grad()
def test_piece_by_piece_is_as_the_whole(past: int, first: int, more: int, count: int, compiled: bool) -> None:
    """A shared history, some positions at once and others one by one give what the whole sequences give."""
    whole, cached = blocks()
    history, own = rows(1, past), rows(count, first + more, seed=2)
    expected = whole(torch.cat([history.expand(count, -1, -1), own], dim=1))[:, past:]
    shared: list[Shared] = []
    if past:
        prefill = CachedBlocks(cached, 1, past)
        torch.testing.assert_close(prefill.extend(history), whole(history), **CLOSE)
        shared = prefill.shared()
        assert [part.keys.shape for part in shared] == [(3, past, WIDTH // 3)] * 2
    stream = CachedBlocks(cached, count, first + more, shared)
    if not compiled:
        for memory in stream.memories:
            memory.by = attention
    found = [stream.extend(own[:, :first]), *(stream.extend(own[:, [at]]) for at in range(first, first + more))]
    torch.testing.assert_close(torch.cat(found, dim=1), expected, **CLOSE)
    assert stream.position == past + first + more


@torch.no_grad()
def test_without_room_nothing_is_remembered() -> None:
    """A single pass may forget what it saw; a stream with room for all it sees remembers as much."""
    whole, cached = blocks()
    x = rows(2, 5)
    forgetful = CachedBlocks(cached, 2, 0)
    torch.testing.assert_close(forgetful.extend(x), whole(x), **CLOSE)
    assert [memory.filled for memory in forgetful.memories] == [0, 0]
    mindful = CachedBlocks(cached, 2, 5)
    mindful.extend(x)
    assert [memory.filled for memory in mindful.memories] == [5, 5]


def test_no_blocks_change_nothing() -> None:
    """A tokenizer may have none on a side."""
    x = rows(2, 3)
    assert CachedBlocks([], 2, 3).extend(x) is x


@pytest.mark.parametrize("past", [0, 1, 9])
@torch.no_grad()
def test_a_table_stands_for_a_whole_history(past: int) -> None:
    """The fine logits of a token asked in the table are those of the network that reads the whole history."""
    model, _ = tiny_networks()
    weights = Transformer(model, torch.float32)
    history, own = (
        torch.randn(rows_, length, 16, generator=torch.Generator().manual_seed(length))
        for rows_, length in ((1, past), (3, 2))
    )
    tokens = torch.tensor([0, 7, 15])
    shared = None
    if past:
        keys, values = weights.remember(history)
        shared = Shared(keys[:, :, 0].transpose(0, 1).contiguous(), values[:, :, 0].transpose(0, 1).contiguous())
    asked = Dependency(tabled(weights.queries, shared), 3, 2)
    asked.memory.append(*weights.remember(own))
    found = weights.fine_logits(own[:, -1], tokens, asked.attend(tokens))
    expected = decode_s2(model, torch.cat([history.expand(3, -1, -1), own], dim=1), tokens)
    torch.testing.assert_close(found, expected, **CLOSE)


def test_a_table_of_no_history_counts_for_nothing() -> None:
    """Its logs are minus infinity, so that not even rounding is left of it."""
    table = tabled(torch.randn(2, 5, 4), None)
    assert (table.logs == -torch.inf).all()
    assert not table.mixed.any()


def test_the_processor_uses_compiled_functions() -> None:
    """Another device those of torch; `meta` stands in for it, since shapes are all that is asked."""
    assert kv_cache.KVCache((1, 1, 1, 2), torch.empty(0)).by is kv_cache.kernels
    assert kv_cache.KVCache((1, 1, 1, 2), torch.empty(0, device="meta")).by is attention
