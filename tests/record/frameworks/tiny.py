"""Tiny language models, tokenizers and data, made in code, and trainers that keep quiet."""

from __future__ import annotations

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

QUIET = {
    "report_to": "none", "use_cpu": True, "bf16": False, "disable_tqdm": True, "logging_steps": 1,
    "save_strategy": "no", "learning_rate": 1e-2, "dataloader_pin_memory": False,
}  # fmt: skip

_VOCABULARY = ("<pad>", "<eos>", "<unk>", *"abcdef")


def language_model():
    """Return a model of two blocks."""
    sizes = {"hidden_size": 8, "intermediate_size": 16, "num_attention_heads": 2}
    marks = {"pad_token_id": 0, "eos_token_id": 1, "bos_token_id": None}
    sizes |= {"num_hidden_layers": 2, "max_position_embeddings": 64}
    return LlamaForCausalLM(LlamaConfig(vocab_size=len(_VOCABULARY), **sizes, **marks))


def words():
    """Return a tokenizer of nine words."""
    of_words = {word: at for at, word in enumerate(_VOCABULARY)}
    tokenizer = Tokenizer(models.WordLevel(of_words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    names = {name: f"<{name[:3]}>" for name in ("pad_token", "eos_token", "unk_token")}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names)


def tokens(n=64):
    """Return `n` made-up texts of six tokens."""
    data = torch.randint(3, 9, (n, 6), generator=torch.Generator().manual_seed(1))
    return [{"input_ids": row, "labels": row} for row in data]
