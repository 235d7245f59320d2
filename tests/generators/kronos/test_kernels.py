"""What is compiled for the CPU against the same in torch, and both against attention written out."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import torch
from hypothesis import given, settings

from stresslab.generators.kronos import attention, kernels
from tests.generators.kronos.cases import ROUNDING, SIZES, TYPES


@TYPES
@settings(deadline=None, max_examples=30)
@given(**SIZES)
def test_one_query_attends_to_both_parts(
    dtype: torch.dtype, heads: int, count: int, width: int, own: int, shared: int, seed: int
) -> None:
    """Compiled or not, the two parts put together are one soft-max over all positions."""
    made = torch.Generator().manual_seed(seed)
    queries = torch.randn(heads, count, width, generator=made) / width**0.5
    keys, values = (torch.randn(own, heads, count, width, generator=made).to(dtype) for _ in range(2))
    past_keys, past_values = (torch.randn(heads, shared, width, generator=made).to(dtype) for _ in range(2))
    all_keys = torch.cat([past_keys.unsqueeze(1).expand(-1, count, -1, -1), keys.permute(1, 2, 0, 3)], dim=2).float()
    all_values = torch.cat([past_values.unsqueeze(1).expand(-1, count, -1, -1), values.permute(1, 2, 0, 3)], dim=2)
    chances = (all_keys @ queries.unsqueeze(-1)).squeeze(-1).softmax(dim=-1)
    expected = (chances.unsqueeze(-2) @ all_values.float()).squeeze(-2).transpose(0, 1).flatten(1)
    for by in (attention, kernels):
        scores = torch.bmm(queries.to(dtype), past_keys.transpose(1, 2))
        mixed, weights, scale = by.attend(queries, keys, values, scores)
        found = by.merge(mixed, torch.bmm(weights, past_values), scale)
        assert found.dtype == dtype
        torch.testing.assert_close(found.float(), expected, **ROUNDING[dtype])


@TYPES
@settings(deadline=None, max_examples=30)
@given(**SIZES)
def test_one_position_is_turned(
    dtype: torch.dtype, heads: int, count: int, width: int, own: int, shared: int, seed: int
) -> None:
    """Compiled or not, queries and keys are rotated alike and values filed away as they are."""
    made = torch.Generator().manual_seed(seed)
    qkv = torch.randn(count, 3, heads, width, generator=made).to(dtype)
    angles = torch.randn(width // 2, generator=made).repeat(2)
    filed = []
    for by in (attention, kernels):
        keys, values = torch.zeros(heads, count, width, dtype=dtype), torch.zeros(heads, count, width, dtype=dtype)
        filed.append((by.turn(qkv, angles.cos(), angles.sin(), keys, values), keys, values))
    for plain, compiled in zip(*filed, strict=True):
        torch.testing.assert_close(compiled, plain)
    assert torch.equal(filed[1][2], qkv[:, 2].transpose(0, 1))


def test_exponentials_are_those_of_numpy() -> None:
    """The polynomial is exact to a few units in the last place from 0 down to where float32 ends."""
    x = np.concatenate([np.linspace(-87, 0, 20_001), [-1e3, -np.inf]]).astype(np.float32)
    found = np.array([kernels.exponential(one) for one in x])
    np.testing.assert_allclose(found[:-2], np.exp(x[:-2].astype(np.float64)), rtol=2e-7)
    assert (found[-2:] < 1e-37).all()


def test_compiled_and_cached_kernels_give_the_same_bytes(tmp_path: Path) -> None:
    """A process that compiles the kernels and one that reads them from the cache compute the same numbers."""
    script = (
        "import hashlib, torch\n"
        "from stresslab.generators.kronos.kernels import attend\n"
        "torch.manual_seed(0)\n"
        "found = attend(torch.randn(6, 64, 32), torch.randn(9, 6, 64, 32), torch.randn(9, 6, 64, 32),\n"
        "               torch.randn(6, 64, 400))\n"
        "print(hashlib.sha256(b''.join(one.numpy().tobytes() for one in found)).hexdigest())\n"
    )
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[3])}
    run = partial(subprocess.run, [sys.executable, "-c", script], capture_output=True, text=True, check=True)
    cold, warm = (run(env=environment).stdout for _ in range(2))
    assert list(tmp_path.rglob("*.nbi"))
    assert cold == warm
