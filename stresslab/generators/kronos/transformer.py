"""The transformer: coarse and fine tokens of the bars so far to the distribution of the next bar's.

Shi et al. 2025 (arXiv 2508.02739, section 3.2): the coarse token first, then the fine one given it. Shapes: B
sequences, L bars, D model width, V vocabulary. Neither prices nor sampling are known here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from stresslab.generators.kronos.layers import Attention, Block, RMSNorm

STAMP_SIZES = {"minute": 60, "hour": 24, "weekday": 7, "day": 32, "month": 13}
"""Calendar stamps of a bar, in their order, and how many values each has."""
DEPENDENCY_HEADS = 4  # in every published size


@dataclass(frozen=True)
class TransformerConfig:
    """The keys of a published model's config.json; the defaults are Kronos-mini without dropout.

    `coarse_residual` is ours and absent from published configs: the fine token also sees its coarse token's embedding
    directly, not through the attention's weights alone, and training uses the pass that inference uses.
    """

    s1_bits: int = 10
    s2_bits: int = 10
    n_layers: int = 4
    d_model: int = 256
    n_heads: int = 4
    ff_dim: int = 512
    ffn_dropout_p: float = 0.0
    attn_dropout_p: float = 0.0
    resid_dropout_p: float = 0.0
    token_dropout_p: float = 0.0
    learn_te: bool = True
    coarse_residual: bool = False


class TokenEmbedding(nn.Module):
    """A coarse and a fine token fused into one vector."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.scale = math.sqrt(config.d_model)
        self.emb_s1 = _table(2**config.s1_bits, config.d_model)
        self.emb_s2 = _table(2**config.s2_bits, config.d_model)
        self.fusion_proj = nn.Linear(2 * config.d_model, config.d_model)

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        """Tokens (B, L) to (B, L, D)."""
        both = torch.cat([self.emb_s1(coarse), self.emb_s2(fine)], dim=-1)
        fused: Tensor = self.fusion_proj(both * self.scale)
        return fused


class SinusoidEmbedding(nn.Module):
    """Fixed sinusoids (Vaswani et al. 2017) in place of a learned table; a parameter named as the checkpoints do."""

    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        frequencies = torch.exp(torch.arange(0, width, 2).float() * (-math.log(10_000.0) / width))
        angles = torch.outer(torch.arange(size).float(), frequencies)
        self.emb = _table(size, width)
        self.emb.weight = nn.Parameter(
            torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1), requires_grad=False
        )

    def forward(self, stamps: Tensor) -> Tensor:
        """(B, L) to (B, L, D)."""
        embedded: Tensor = self.emb(stamps)
        return embedded


class StampEmbedding(nn.Module):
    """The sum of one vector per calendar stamp."""

    def __init__(self, width: int, learned: bool) -> None:
        super().__init__()
        for name, size in STAMP_SIZES.items():
            table = _table(size, width) if learned else SinusoidEmbedding(size, width)
            self.add_module(f"{name}_embed", table)

    def forward(self, stamps: Tensor) -> Tensor:
        """Stamps (B, L, 5) to (B, L, D)."""
        minute, hour, weekday, day, month = (
            self.get_submodule(f"{name}_embed")(stamps[..., position].long())
            for position, name in enumerate(STAMP_SIZES)
        )
        total: Tensor = hour + weekday + day + month + minute  # the published order of summation
        return total


class DependencyLayer(nn.Module):
    """Conditions the hidden states on the coarse token that was drawn from them.

    The published training pass rotates queries and keys, the published inference, whose query has length 1, does not;
    the checkpoints have learned to live with it (about 0.02 in the logits), so it is kept: rotated while training.
    """

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.cross_attn = Attention(config.d_model, DEPENDENCY_HEADS, config.attn_dropout_p, config.resid_dropout_p)
        self.norm = RMSNorm(config.d_model)
        self.residual = config.coarse_residual
        self.scale = math.sqrt(config.d_model)

    def forward(self, hidden: Tensor, coarse: Tensor) -> Tensor:
        """Hidden states and embedded coarse tokens, both (B, L, D), to (B, L, D)."""
        rotated = self.training and not self.residual
        return self.combine(hidden, coarse, self.cross_attn(coarse, hidden, rotated=rotated))

    def combine(self, hidden: Tensor, coarse: Tensor, attended: Tensor) -> Tensor:
        """Hidden states, embedded coarse tokens and what these attend to, all (..., D), to (..., D)."""
        direct = hidden + self.scale * coarse if self.residual else hidden
        conditioned: Tensor = self.norm(direct + attended)
        return conditioned


class Heads(nn.Module):
    """Logits of the coarse and of the fine token."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.proj_s1 = nn.Linear(config.d_model, 2**config.s1_bits)
        self.proj_s2 = nn.Linear(config.d_model, 2**config.s2_bits)


class KronosTransformer(nn.Module):
    """Causal transformer over pairs of tokens and calendar stamps."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.s1_bits, self.s2_bits = config.s1_bits, config.s2_bits
        self.embedding = TokenEmbedding(config)
        self.time_emb = StampEmbedding(config.d_model, config.learn_te)
        self.token_drop = nn.Dropout(config.token_dropout_p)
        self.transformer = nn.ModuleList(_block(config) for _ in range(config.n_layers))
        self.norm = RMSNorm(config.d_model)
        self.dep_layer = DependencyLayer(config)
        self.head = Heads(config)
        if not self.head.proj_s1.weight.is_meta:  # shapes alone; to initialise them torch would import its compiler
            self.apply(self._initialise)

    def forward(
        self, s1_ids: Tensor, s2_ids: Tensor, stamps: Tensor | None = None, s1_targets: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Logits of every next bar's tokens, each from the bars up to its own: the pass of training and scoring.

        In train mode this is the published training pass. In eval mode each position computes what inference would
        compute there; the published eval pass lets a fine token attend to later bars and so to its own target.

        Args:
            s1_ids: coarse tokens (B, L).
            s2_ids: fine tokens (B, L).
            stamps: (B, L, 5), or None for a model that sees no calendar.
            s1_targets: coarse tokens (B, L) of the next bars, on which the fine logits are conditioned; drawn from the
                model's own distribution with torch's generator when None.

        Returns:
            Coarse and fine logits (B, L, V).
        """
        s1_logits, hidden = self.decode_s1(s1_ids, s2_ids, stamps)
        if s1_targets is None:
            chances = s1_logits.detach().float().softmax(dim=-1)
            s1_targets = torch.multinomial(chances.flatten(0, 1), 1).view(s1_ids.shape)
        return s1_logits, self.fine_logits(hidden, s1_targets)

    def decode_s1(self, s1_ids: Tensor, s2_ids: Tensor, stamps: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Coarse logits (B, L, V) and hidden states (B, L, D) of all positions."""
        x = self.embedding(s1_ids, s2_ids)
        if stamps is not None:
            x = x + self.time_emb(stamps)
        x = self.token_drop(x)
        for block in self.transformer:
            x = block(x)
        hidden = self.norm(x)
        return self.head.proj_s1(hidden), hidden

    def fine_logits(self, hidden: Tensor, s1_targets: Tensor) -> Tensor:
        """Fine logits (B, L, V) of every next bar, given hidden states (B, L, D) and its coarse token (B, L)."""
        logits: Tensor = self.head.proj_s2(self.dep_layer(hidden, self.embedding.emb_s1(s1_targets)))
        return logits

    def _initialise(self, module: nn.Module) -> None:
        """The published initial weights: Xavier-normal matrices, zero biases, embeddings of variance 1/D."""
        if isinstance(module, nn.Linear):
            nn.init.xavier_normal_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Embedding) and module.weight.requires_grad:
            nn.init.normal_(module.weight, std=self.config.d_model**-0.5)


def _table(size: int, width: int) -> nn.Embedding:
    """An embedding whose weights are still to be set."""
    return nn.Embedding(size, width, _weight=torch.empty(size, width))


def next_token_loss(
    s1_logits: Tensor, s2_logits: Tensor, s1_targets: Tensor, s2_targets: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Cross-entropy in nats: the mean of the coarse and the fine loss, and both.

    Args:
        s1_logits: (B, L, V).
        s2_logits: (B, L, V).
        s1_targets: (B, L).
        s2_targets: (B, L).
    """
    coarse = functional.cross_entropy(s1_logits.flatten(0, 1), s1_targets.flatten())
    fine = functional.cross_entropy(s2_logits.flatten(0, 1), s2_targets.flatten())
    return (coarse + fine) / 2, coarse, fine


def _block(config: TransformerConfig) -> Block:
    return Block(
        config.d_model,
        config.n_heads,
        config.ff_dim,
        feed_forward=config.ffn_dropout_p,
        attention=config.attn_dropout_p,
        residual=config.resid_dropout_p,
    )
