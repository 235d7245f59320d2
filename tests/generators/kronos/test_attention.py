"""Attention in torch, against attention written out."""

from __future__ import annotations

import math

import torch
from hypothesis import given, settings

from stresslab.generators.kronos import attention
from stresslab.generators.kronos.layers import Rotary, rotate
from tests.generators.kronos.cases import ROUNDING, SIZES, TYPES


@TYPES
@settings(deadline=None, max_examples=20)
@given(**SIZES)
def test_many_queries_attend_causally(
    dtype: torch.dtype, heads: int, count: int, width: int, own: int, shared: int, seed: int
) -> None:
    """Mixed values and logs are those of a causal soft-max, with the scale already in the queries."""
    made = torch.Generator().manual_seed(seed)
    q, k, v = (torch.randn(count, heads, own, width, generator=made).to(dtype) for _ in range(3))
    scores = (q.float() @ k.float().transpose(-1, -2)).masked_fill(~torch.ones(own, own).bool().tril(), -torch.inf)
    mixed, logs = attention.attend_all(q, k, v, causal=True)
    torch.testing.assert_close(mixed.float(), scores.softmax(dim=-1) @ v.float(), **ROUNDING[dtype])
    torch.testing.assert_close(logs.float(), scores.logsumexp(dim=-1), **ROUNDING[dtype])


def test_one_query_by_hand() -> None:
    """An own score of log 3 and a shared one of 0: three quarters of the own value, a quarter of the shared one."""
    query, key = torch.tensor([[[1.0, 0.0]]]), torch.tensor([[[[math.log(3), 0.0]]]])
    own_value, past_value = torch.tensor([[[[1.0, 0.0]]]]), torch.tensor([[0.0, 1.0]])
    mixed, weights, scale = attention.attend(query, key, own_value, torch.zeros(1, 1, 1))
    found = attention.merge(mixed, weights @ past_value, scale)
    torch.testing.assert_close(found, torch.tensor([[0.75, 0.25]]))


def test_scores_of_any_size_are_weighed() -> None:
    """Scores of thousands neither overflow nor underflow to nothing: equal ones count equally."""
    queries, keys = torch.full((1, 1, 2), 100.0), torch.full((3, 1, 1, 2), 50.0)
    values = torch.arange(6.0).view(3, 1, 1, 2)
    mixed, weights, scale = attention.attend(queries, keys, values, torch.full((1, 1, 1), 10_000.0))
    torch.testing.assert_close(weights * scale[..., None], torch.full((1, 1, 1), 0.25))
    torch.testing.assert_close(mixed * scale[..., None], values.sum(dim=0) / 4)


def test_heads_lie_side_by_side() -> None:
    """Universe by universe the heads follow one another, of the shared part's type."""
    own, shared = torch.arange(12.0).view(2, 3, 2), torch.zeros(2, 3, 2, dtype=torch.bfloat16)
    found = attention.merge(own, shared, torch.ones(2, 3))
    assert found.dtype == torch.bfloat16
    assert found.tolist() == [[0, 1, 6, 7], [2, 3, 8, 9], [4, 5, 10, 11]]


def test_a_position_is_filed_where_it_belongs() -> None:
    """Keys are rotated and values are not, each in the place of its head and universe."""
    qkv = torch.randn(4, 3, 2, 6, generator=torch.Generator().manual_seed(0))
    cos, sin = (part[0] for part in Rotary(6).angles(1, first=7))
    keys, values = torch.zeros(2, 4, 6), torch.zeros(2, 4, 6)
    queries = attention.turn(qkv, cos, sin, keys, values)
    for head in range(2):
        for universe in range(4):
            torch.testing.assert_close(queries[head, universe], rotate(qkv[universe, 0, head], cos, sin))
            torch.testing.assert_close(keys[head, universe], rotate(qkv[universe, 1, head], cos, sin))
            assert torch.equal(values[head, universe], qkv[universe, 2, head])


@TYPES
@settings(deadline=None, max_examples=20)
@given(**SIZES)
def test_two_sets_of_keys_are_put_together_by_their_logs(
    dtype: torch.dtype, heads: int, count: int, width: int, own: int, shared: int, seed: int
) -> None:
    """Attention to two sets, each weighed by its sum, is attention to both at once."""
    made = torch.Generator().manual_seed(seed)
    q = (torch.randn(count, heads, 1, width, generator=made) / width**0.5).to(dtype)
    k, v = (torch.randn(count, heads, own + shared + 1, width, generator=made).to(dtype) for _ in range(2))
    whole, _ = attention.attend_all(q, k, v, causal=False)
    parts = [
        attention.attend_all(q, k[:, :, one], v[:, :, one], causal=False) for one in (slice(own), slice(own, None))
    ]
    shares = torch.stack([logs.float() for _, logs in parts]).softmax(dim=0)
    mixed = sum(share[..., None] * part.float() for share, (part, _) in zip(shares, parts, strict=True))
    torch.testing.assert_close(mixed, whole.float(), **ROUNDING[dtype])
