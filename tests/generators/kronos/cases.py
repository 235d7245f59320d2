"""The parity cases: tiny random weights, made-up bars, and what the official Kronos code computes on them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import strategies as st
from numpy.typing import NDArray

from stresslab.data.bars import Bars
from stresslab.generators.kronos.checkpoint import load_model, load_tokenizer, save_model, save_tokenizer
from stresslab.generators.kronos.return_features import Returns
from stresslab.generators.kronos.tokenizer import KronosTokenizer, TokenizerConfig
from stresslab.generators.kronos.transformer import KronosTransformer, TransformerConfig

PARITY = Path(__file__).parent / "parity"
CASES = ("within_context", "rolling_window", "longer_than_context")
TOLERANCE = {"atol": 1e-4, "rtol": 0}
"""Of float32 networks, against the official ones."""
TINY_TOKENIZER = TokenizerConfig(d_model=16, n_heads=2, ff_dim=32, n_enc_layers=2, n_dec_layers=2, s1_bits=4, s2_bits=4)
TINY_MODEL = TransformerConfig(n_layers=1, d_model=16, n_heads=2, ff_dim=32, s1_bits=4, s2_bits=4)


SIZES = {
    "heads": st.integers(1, 3),
    "count": st.integers(1, 5),
    "width": st.sampled_from([2, 4, 6, 16, 40]),
    "own": st.integers(1, 11),
    "shared": st.integers(0, 9),
    "seed": st.integers(0, 2**32 - 1),
}
"""Of one layer of attention; its scores are scaled in the queries."""
ROUNDING = {torch.float32: {"rtol": 1e-5, "atol": 1e-5}, torch.bfloat16: {"rtol": 4e-2, "atol": 4e-2}}
"""Relative and absolute, of attention in each type."""
TYPES = pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])


@dataclass(frozen=True, eq=False)
class Case:
    """One parity folder.

    Attributes:
        folder: where it lies.
        golden: arrays by the names of `golden.npz`.
        bars: context and horizon.
        context: bars of context L.
        horizon: bars of horizon H.
        max_context: bars in the model's window.
    """

    folder: Path
    golden: Mapping[str, NDArray]
    bars: Bars
    context: int
    horizon: int
    max_context: int

    @property
    def model(self) -> KronosTransformer:
        """A fresh copy of the transformer."""
        return load_model(self.folder / "model")

    @property
    def tokenizer(self) -> KronosTokenizer:
        """A fresh copy of the tokenizer."""
        return load_tokenizer(self.folder / "tokenizer")

    def tensor(self, name: str) -> torch.Tensor:
        """A golden array as a batch of one."""
        return torch.from_numpy(np.asarray(self.golden[name]))[None]


@cache
def case(name: str) -> Case:
    """The parity case of that name."""
    folder = PARITY / name
    sizes = json.loads((folder / "case.json").read_text())
    with np.load(folder / "golden.npz") as arrays:
        golden = dict(arrays)
    bars = Bars.from_frame(pd.read_csv(folder / "bars.csv", parse_dates=["timestamps"]))
    return Case(folder, golden, bars, sizes["context"], sizes["horizon"], sizes["max_context"])


def tiny_networks(seed: int = 0, features: int = 5) -> tuple[KronosTransformer, KronosTokenizer]:
    """Two tiny networks with random weights, in eval mode."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        tokenizer = KronosTokenizer(TokenizerConfig(**{**vars(TINY_TOKENIZER), "d_in": features}))
        model = KronosTransformer(TransformerConfig(**{**vars(TINY_MODEL), "coarse_residual": True}))
    return model.eval(), tokenizer.eval()


def save_tiny(folder: Path, seed: int = 0, max_context: int = 32) -> Path:
    """A tiny checkpoint of scaled returns with random weights."""
    model, tokenizer = tiny_networks(seed)
    save_model(model, folder / "model", max_context=max_context, trained_until="2020-12-31")
    save_tokenizer(tokenizer, folder / "tokenizer", representation=Returns().settings())
    return folder
