"""How likely a base model, and the same with an adapter, finds the two sentences of pairs.

    python -m training.recipes.contrast --base FOLDER --adapter FOLDER pairs.jsonl

Pairs are {"id", "sentences": [one, other]}. One JSON line on stdout for each: {"id", "base": [nats, nats], "adapter":
[nats, nats]}, summed over each sentence as it stands, without a question (`comparison.read_plainly`).
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from training.evaluation.forgetting import FixedText
from training.recipes.comparison import read_plainly
from training.recipes.generation import require_adapter

AT_ONCE = 16


def read_pairs(model: Any, tokenizer: Any, pairs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the model makes of some pairs, with its adapter off and on; `model` is a PeftModel."""
    text = FixedText("pairs", tuple(sentence for pair in pairs for sentence in pair["sentences"]), "")
    adapter, _ = read_plainly(model, tokenizer, text)
    with model.disable_adapter():
        base, _ = read_plainly(model, tokenizer, text)
    return [
        {"id": pair["id"], "base": base[2 * place : 2 * place + 2], "adapter": adapter[2 * place : 2 * place + 2]}
        for place, pair in enumerate(pairs)
    ]


def main() -> int:
    """Read the pairs; lines are written as soon as they are known."""
    parser = argparse.ArgumentParser(description="How likely a model finds the sentences of pairs.")
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--base", required=True)
    parser.add_argument("--adapter", required=True)
    given = parser.parse_args()
    require_adapter(given.adapter)
    tokenizer = AutoTokenizer.from_pretrained(given.base)
    model: Any = AutoModelForCausalLM.from_pretrained(given.base, dtype=torch.float32)
    model = PeftModel.from_pretrained(model, given.adapter)
    model.train(False)
    lines = given.pairs.read_text(encoding="utf-8").split("\n")
    pairs = [json.loads(line) for line in lines if line.strip()]
    for start in range(0, len(pairs), AT_ONCE):
        for found in read_pairs(model, tokenizer, pairs[start : start + AT_ONCE]):
            sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
