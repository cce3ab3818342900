"""A small GPT in the manner of nanochat: blocks at ``transformer.h.N``, head at ``lm_head``."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - the name the field uses
from torch import Tensor, nn


@dataclass(frozen=True)
class GPTConfig:
    """Size of a `GPT`.

    Attributes
    ----------
    vocabulary, context : int
        Number of tokens; longest sequence.
    depth, width, heads : int
        Blocks; residual channels; attention heads.
    """

    vocabulary: int
    context: int
    depth: int = 6
    width: int = 64
    heads: int = 4


class Attention(nn.Module):
    """Causal self-attention."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.c_qkv = nn.Linear(config.width, 3 * config.width, bias=False)
        self.c_proj = nn.Linear(config.width, config.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, time, width) to the same shape."""
        batch, time, width = x.shape
        qkv = self.c_qkv(x).view(batch, time, 3, self.heads, width // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        out: Tensor = self.c_proj(mixed.transpose(1, 2).reshape(batch, time, width))
        return out


class MLP(nn.Module):
    """Two linear maps with a squared ReLU between them."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.c_fc = nn.Linear(config.width, 4 * config.width, bias=False)
        self.c_proj = nn.Linear(4 * config.width, config.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, time, width) to the same shape."""
        out: Tensor = self.c_proj(F.relu(self.c_fc(x)).square())
        return out


class Block(nn.Module):
    """One pre-norm transformer block."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.attn = Attention(config)
        self.mlp = MLP(config)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, time, width) to the same shape."""
        x = x + self.attn(_rms_norm(x))
        return x + self.mlp(_rms_norm(x))


class GPT(nn.Module):
    """Decoder-only transformer with learned positions and an untied head.

    There is no norm between the last block and the head: the logits are as large as the residual
    stream, so that the model feels a learning rate that is too high as it feels one too low.

    Parameters
    ----------
    config : GPTConfig
    """

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.config = config
        self.transformer = nn.ModuleDict(
            {
                "wte": nn.Embedding(config.vocabulary, config.width),
                "wpe": nn.Embedding(config.context, config.width),
                "h": nn.ModuleList(Block(config) for _ in range(config.depth)),
            }
        )
        self.lm_head = nn.Linear(config.width, config.vocabulary, bias=False)
        self._initialise()

    def forward(self, tokens: Tensor) -> Tensor:
        """Map tokens, int64 (batch, time), to logits, float32 (batch, time, vocabulary)."""
        positions = torch.arange(tokens.size(1), device=tokens.device)
        x = self.transformer["wte"](tokens) + self.transformer["wpe"](positions)
        x = _rms_norm(x)
        for block in self.transformer["h"]:
            x = block(x)
        logits: Tensor = self.lm_head(x)
        return logits

    @torch.no_grad()
    def generate(
        self, prompts: Tensor, length: int, generator: torch.Generator | None = None
    ) -> Tensor:
        """Continue each prompt by `length` tokens.

        Parameters
        ----------
        prompts : Tensor, int64, shape (batch, time)
        length : int
        generator : torch.Generator, optional
            Tokens are drawn at temperature 1 with it; without it the likeliest one is taken.

        Returns
        -------
        Tensor, int64, shape (batch, length)
        """
        tokens = prompts
        for _ in range(length):
            logits = self(tokens)[:, -1]
            if generator is None:
                chosen = logits.argmax(-1, keepdim=True)
            else:
                chosen = torch.multinomial(logits.softmax(-1), 1, generator=generator)
            tokens = torch.cat([tokens, chosen], dim=1)
        return tokens[:, prompts.size(1) :]

    @torch.no_grad()
    def _initialise(self) -> None:
        """Unit-size embeddings, maps that keep the scale, residual branches scaled by depth."""
        for name, weight in self.named_parameters():
            if name.startswith(("transformer.wte", "transformer.wpe")):
                std = 1.0
            elif name.startswith("lm_head"):
                std = 0.02  # the first guess is nearly uniform
            else:
                std = weight.size(1) ** -0.5
            if name.endswith("c_proj.weight"):
                std /= (2 * self.config.depth) ** 0.5
            nn.init.normal_(weight, std=std)


def _rms_norm(x: Tensor) -> Tensor:
    return F.rms_norm(x, (x.size(-1),))
