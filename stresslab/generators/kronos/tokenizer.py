"""The tokenizer: features of bars to pairs of coarse and fine tokens and back, causally, by binary spherical codes.

Shi et al. 2025 (arXiv 2508.02739, section 3.1) with the quantizer of Zhao, Xiong & Krähenbühl 2024 (arXiv 2406.07548).
Shapes: B sequences, L bars, F features, K = s1_bits + s2_bits code bits. What a feature means is not known here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast, overload

import torch
from torch import Tensor, nn
from torch.nn import functional

from stresslab.generators.kronos.layers import Block

Tokens = tuple[Tensor, Tensor]
_TINY = 1e-8  # keeps the logarithm of a probability of zero finite, as the published loss does


@dataclass(frozen=True)
class TokenizerConfig:
    """The keys of a published tokenizer's config.json; the defaults are Kronos-Tokenizer-base."""

    d_in: int = 6
    d_model: int = 256
    n_heads: int = 4
    ff_dim: int = 512
    n_enc_layers: int = 4
    n_dec_layers: int = 4
    ffn_dropout_p: float = 0.0
    attn_dropout_p: float = 0.0
    resid_dropout_p: float = 0.0
    s1_bits: int = 10
    s2_bits: int = 10
    beta: float = 0.05
    gamma0: float = 1.0
    gamma: float = 1.1
    zeta: float = 0.05
    group_size: int = 4


class SphericalCode(nn.Module):
    """Binary code on the unit sphere; it holds two buffers only because the published checkpoints persist them."""

    def __init__(self, bits: int, group: int) -> None:
        super().__init__()
        self.register_buffer("basis", 2 ** torch.arange(bits - 1, -1, -1, device="cpu"))
        self.register_buffer("group_basis", 2 ** torch.arange(group - 1, -1, -1, device="cpu"))


class Quantizer(nn.Module):
    """Rounds a vector to the nearest corner of the hypercube inscribed in the unit sphere."""

    def __init__(self, config: TokenizerConfig) -> None:
        super().__init__()
        self.config = config
        self.bits = config.s1_bits + config.s2_bits
        self.bsq = SphericalCode(self.bits, config.group_size)

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Normalise and quantize (B, L, K), with straight-through gradients.

        Returns:
            The unit vectors and their codes, entries +-1/sqrt(K), both (B, L, K).
        """
        unit = functional.normalize(z, dim=-1)
        signs = torch.where(unit > 0, 1.0, -1.0).type_as(unit)
        return unit, (unit + (signs - unit).detach()) / self.bits**0.5

    def loss(self, unit: Tensor, code: Tensor) -> Tensor:
        """Commitment, and the entropy term: every code decided, all codes used (Zhao et al. 2024, eqs. 8 to 10).

        The published objective measures the use of codes bit by bit, whatever `group_size` says.
        """
        config = self.config
        commitment = (code.detach() - unit).square().sum(dim=-1).mean()
        one = torch.sigmoid(-4.0 * unit.float() / self.bits**0.5)
        chances = torch.stack([one, 1.0 - one], dim=-1)  # (B, L, K, 2)
        undecided = _entropy(chances).sum(dim=-1).mean()
        used = _entropy(chances.flatten(0, -3).mean(dim=0)).sum()
        return config.beta * commitment + config.zeta * (config.gamma0 * undecided - config.gamma * used)


class KronosTokenizer(nn.Module):
    """Causal transformer auto-encoder around a binary spherical quantizer."""

    def __init__(self, config: TokenizerConfig) -> None:
        super().__init__()
        self.config = config
        self.s1_bits, self.s2_bits = config.s1_bits, config.s2_bits
        bits = config.s1_bits + config.s2_bits
        self.embed = nn.Linear(config.d_in, config.d_model)
        # a published count of layers includes the linear one
        self.encoder = nn.ModuleList(_block(config) for _ in range(config.n_enc_layers - 1))
        self.quant_embed = nn.Linear(config.d_model, bits)
        self.tokenizer = Quantizer(config)
        self.post_quant_embed_pre = nn.Linear(config.s1_bits, config.d_model)
        self.post_quant_embed = nn.Linear(bits, config.d_model)
        self.decoder = nn.ModuleList(_block(config) for _ in range(config.n_dec_layers - 1))
        self.head = nn.Linear(config.d_model, config.d_in)

    def forward(self, x: Tensor) -> tuple[tuple[Tensor, Tensor], Tensor, Tensor, Tensor]:
        """Encode, quantize and reconstruct features (B, L, F), as training needs it.

        Returns:
            The reconstructions (B, L, F) from the coarse bits alone and from all bits; the quantizer's loss; the codes
            (B, L, K); the joint token ids (B, L).
        """
        unit, code = self.tokenizer(self._latent(x))
        coarse = self._reconstruct(self.post_quant_embed_pre(code[..., : self.s1_bits]))
        full = self._reconstruct(self.post_quant_embed(code))
        return (coarse, full), self.tokenizer.loss(unit, code), code, bits_to_ids(code > 0)

    @overload
    def encode(self, x: Tensor, half: Literal[True]) -> Tokens: ...

    @overload
    def encode(self, x: Tensor, half: Literal[False] = False) -> Tensor: ...

    def encode(self, x: Tensor, half: bool = False) -> Tensor | Tokens:
        """Tokens (B, L) of features (B, L, F): joint ids, or with `half` coarse and fine ids."""
        bits = self._latent(x) > 0
        if not half:
            return bits_to_ids(bits)
        return bits_to_ids(bits[..., : self.s1_bits]), bits_to_ids(bits[..., self.s1_bits :])

    @overload
    def decode(self, tokens: Tokens, half: Literal[True]) -> Tensor: ...

    @overload
    def decode(self, tokens: Tensor, half: Literal[False] = False) -> Tensor: ...

    def decode(self, tokens: Tensor | Tokens, half: bool = False) -> Tensor:
        """Features (B, L, F) of joint ids, or with `half` of coarse and fine ids."""
        if half:
            coarse, fine = tokens
        else:
            coarse, fine = self.split(cast(Tensor, tokens))
        return self._reconstruct(self.post_quant_embed(self.codes(coarse, fine)))

    def split(self, ids: Tensor) -> Tokens:
        """Coarse and fine ids of joint ids: the coarse bits are the less significant ones."""
        return ids % 2**self.s1_bits, ids >> self.s1_bits

    def codes(self, coarse: Tensor, fine: Tensor) -> Tensor:
        """Codes (B, L, K) of coarse and fine ids (B, L)."""
        bits = torch.cat([ids_to_bits(coarse, self.s1_bits), ids_to_bits(fine, self.s2_bits)], dim=-1)
        signs = bits.to(self.head.weight.dtype) * 2.0 - 1.0
        return signs / (self.s1_bits + self.s2_bits) ** 0.5

    def _latent(self, x: Tensor) -> Tensor:
        z = self.embed(x)
        for block in self.encoder:
            z = block(z)
        latent: Tensor = self.quant_embed(z)  # (B, L, K)
        return latent

    def _reconstruct(self, z: Tensor) -> Tensor:
        for block in self.decoder:
            z = block(z)
        features: Tensor = self.head(z)
        return features


def bits_to_ids(bits: Tensor) -> Tensor:
    """Whole numbers whose bits stand in the last axis, the least significant first."""
    weights = 2 ** torch.arange(bits.shape[-1], device=bits.device)
    return (bits.long() * weights).sum(dim=-1)


def ids_to_bits(ids: Tensor, count: int) -> Tensor:
    """The inverse of `bits_to_ids`: `count` booleans in a new last axis."""
    weights = 2 ** torch.arange(count, device=ids.device)
    return (ids.unsqueeze(-1) & weights) != 0


def _block(config: TokenizerConfig) -> Block:
    return Block(
        config.d_model,
        config.n_heads,
        config.ff_dim,
        feed_forward=config.ffn_dropout_p,
        attention=config.attn_dropout_p,
        residual=config.resid_dropout_p,
    )


def _entropy(probabilities: Tensor) -> Tensor:
    """Entropy over the last axis, in nats."""
    return -(probabilities * torch.log(probabilities + _TINY)).sum(dim=-1)
