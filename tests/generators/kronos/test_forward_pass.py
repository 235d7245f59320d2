"""The forward pass over bars, bar by bar and at once."""

from __future__ import annotations

import pytest
import torch

from stresslab.generators.kronos.forward_pass import Pass, Tokens
from stresslab.generators.kronos.inference_weights import Transformer
from tests.generators.kronos.cases import TINY_MODEL, tiny_networks

CLOSE = {"rtol": 1e-5, "atol": 1e-6}


def bars(count: int, length: int) -> tuple[Transformer, Tokens, torch.Tensor]:
    """A network, random tokens (N, T) and embedded stamps (T, D)."""
    transformer = Transformer(tiny_networks()[0], torch.float32)
    draw = torch.Generator().manual_seed(3)
    tokens = tuple(torch.randint(0, 2**bits, (count, length), generator=draw) for bits in (TINY_MODEL.s1_bits,) * 2)
    return transformer, (tokens[0], tokens[1]), torch.randn(length, TINY_MODEL.d_model, generator=draw)


@pytest.mark.parametrize("cuts", [(1, 2, 3, 4, 5), (3, 4, 5), (5,)])
@torch.no_grad()
def test_bars_read_in_pieces_are_those_read_at_once(cuts: tuple[int, ...]) -> None:
    """However many bars come first, one by one after them, hidden states and fine logits are the same."""
    transformer, tokens, stamps = bars(2, 6)
    whole, pieces = Pass(transformer, 2, 6), Pass(transformer, 2, 6)
    expected = whole.extend(tokens, stamps)
    found = []
    for start, end in zip((0, *cuts), (*cuts, 6), strict=True):
        found.append(pieces.extend((tokens[0][:, start:end], tokens[1][:, start:end]), stamps[start:end]))
    torch.testing.assert_close(torch.cat(found, dim=1), expected, **CLOSE)
    coarse = torch.tensor([1, 2])
    torch.testing.assert_close(
        pieces.fine_logits(found[-1][:, -1], coarse), whole.fine_logits(expected[:, -1], coarse), **CLOSE
    )


@torch.no_grad()
def test_universes_go_on_from_a_shared_history() -> None:
    """Two universes after one history have the hidden states of sequences that hold it themselves."""
    transformer, tokens, stamps = bars(2, 3)
    _, past, marks = bars(1, 4)
    first = Pass(transformer, 1, 4)
    first.extend(past, marks)
    found = Pass(transformer, 2, 3, first.history()).extend(tokens, stamps)
    together = tuple(torch.cat([known.expand(2, -1), own], dim=1) for known, own in zip(past, tokens, strict=True))
    whole = Pass(transformer, 2, 7).extend((together[0], together[1]), torch.cat([marks, stamps]))
    torch.testing.assert_close(found, whole[:, 4:], **CLOSE)


@torch.no_grad()
def test_the_state_at_a_position_knows_nothing_later() -> None:
    """It is what a pass that ends there would have."""
    transformer, tokens, stamps = bars(1, 5)
    whole, short = Pass(transformer, 1, 5), Pass(transformer, 1, 3)
    whole.extend(tokens, stamps)
    short.extend((tokens[0][:, :3], tokens[1][:, :3]), stamps[:3])
    (hidden, seen), (expected, table) = whole.state(2), short.state(2)
    torch.testing.assert_close(hidden, expected, **CLOSE)
    torch.testing.assert_close(seen.mixed, table.mixed, **CLOSE)
