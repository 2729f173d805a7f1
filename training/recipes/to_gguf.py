"""A merged model as one GGUF file, for llama.cpp and what is built on it: phones, desktops, no Python.

    python -m training.recipes.to_gguf run-folder/config.toml merged-folder file.gguf [--kind q8_0]

Kinds: `f32` as it is, `f16` in half the bytes, `q8_0` in 8.5 bits a number (norms stay as they are). Only models of
Llama's architecture with a byte-level tokenizer are written: for another one, names and orders would be guesses.

The file is read back and measured before it is kept: it must say the same tokens, and need at most two hundredths more
bits per byte on part of the validation split. It is read back through transformers, which shares the `gguf` package
with what writes it; `docs/serving.md` says what llama.cpp itself was seen to do with such a file.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gguf
import numpy
import torch
from gguf.quants import quantize
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer

from training.recipes.base_model import sha256_of_file
from training.recipes.configuration import Configuration, ConfigurationError
from training.recipes.journal import write_json
from training.recipes.loop import load_examples
from training.recipes.merge import COMPARED, bpb_of, farthest
from training.recipes.stages import RecipeError, validation_part
from training.recipes.text import read_rows

KINDS = {
    "f32": (gguf.GGMLQuantizationType.F32, gguf.LlamaFileType.ALL_F32),
    "f16": (gguf.GGMLQuantizationType.F16, gguf.LlamaFileType.MOSTLY_F16),
    "q8_0": (gguf.GGMLQuantizationType.Q8_0, gguf.LlamaFileType.MOSTLY_Q8_0),
}
MOST_LOSS = 0.02


def export(config: Configuration, model: Path, target: Path, kind: str) -> dict[str, Any]:
    """Write the file, and its facts beside it (the same name with .json); returns them.

    Raises RecipeError when what is read back is not as good, ValueError, OSError.
    """
    torch.set_num_threads(config.recipe.threads)
    facts: dict[str, Any] = json.loads((model / "model.json").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(prefix=".gguf-", dir=target.parent) as folder:
        building = Path(folder) / target.name
        write(model, building, kind, facts)
        figures = measure(config, model, building)
        if not figures["bpb"] <= figures["bpb_before"] * (1 + MOST_LOSS):
            raise RecipeError(f"As {kind} it needs {figures['bpb_ratio']:.3f} times the bits per byte.")
        if not figures["same_tokens"]:
            raise RecipeError("The file cuts text into other tokens than the model learnt.")
        os.replace(building, target)
    about = {**facts, "sha256": sha256_of_file(target), "gguf": {"kind": kind, **figures}}
    write_json(target.with_suffix(".json"), about)
    return about


def write(model: Path, target: Path, kind: str, facts: dict[str, Any]) -> None:
    """The file alone. Raises RecipeError for a model that cannot be told in it."""
    config = json.loads((model / "config.json").read_text(encoding="utf-8"))
    if config["model_type"] != "llama" or config.get("attention_bias") or config.get("mlp_bias"):
        raise RecipeError("Only models of Llama's architecture, without biases, are written as GGUF.")
    quantisation, file_type = KINDS[kind]
    writer = gguf.GGUFWriter(target, "llama")
    _describe(writer, config, facts)
    writer.add_file_type(file_type)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    _add_tokenizer(writer, AutoTokenizer.from_pretrained(model), config)
    for name, weight in tensors_of(model, config):
        # One number for each channel, and they scale all others: they take no room.
        stored = gguf.GGMLQuantizationType.F32 if weight.ndim == 1 else quantisation
        writer.add_tensor(name, quantize(weight, stored), raw_dtype=stored)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _describe(writer: Any, config: dict[str, Any], facts: dict[str, Any]) -> None:
    rope = config.get("rope_parameters") or {}
    if rope.get("rope_type", "default") != "default":
        raise RecipeError("Positions are stretched in this model, which is not written as GGUF.")
    heads = config["num_attention_heads"]
    writer.add_name(facts["name"])
    writer.add_description("Made from words of a community's members: see the card and the obligations beside it.")
    writer.add_vocab_size(config["vocab_size"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_rope_dimension_count(config.get("head_dim") or config["hidden_size"] // heads)
    writer.add_rope_freq_base(rope.get("rope_theta", 10000.0))
    writer.add_head_count(heads)
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    # Whoever finds the file alone still finds what it was made of.
    for name, value in facts["made_of"].items():
        if isinstance(value, str):
            writer.add_string(f"wordhearth.{name}", value)
    writer.add_array("wordhearth.obligations", facts["obligations"])


def _add_tokenizer(writer: Any, tokenizer: Any, config: dict[str, Any]) -> None:
    about = json.loads(tokenizer.backend_tokenizer.to_str())
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(cutting_of(about))
    names = {number: name for name, number in tokenizer.get_vocab().items()}
    added = {one["id"]: one["special"] for one in about["added_tokens"]}
    tokens, kinds = [], []
    for number in range(config["vocab_size"]):
        # A matrix may have more rows than the tokenizer has tokens.
        tokens.append(names.get(number, f"[PAD{number}]"))
        if number not in names:
            kinds.append(gguf.TokenType.UNUSED)
        elif number in added:
            kinds.append(gguf.TokenType.CONTROL if added[number] else gguf.TokenType.USER_DEFINED)
        else:
            kinds.append(gguf.TokenType.NORMAL)
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    merges = about["model"]["merges"]
    writer.add_token_merges([one if isinstance(one, str) else " ".join(one) for one in merges])
    for name in ("bos", "eos", "pad", "unk"):
        if (number := getattr(tokenizer, f"{name}_token_id")) is not None:
            getattr(writer, f"add_{name}_token_id")(number)
    writer.add_add_bos_token(False)
    writer.add_add_space_prefix(False)
    if tokenizer.chat_template:
        writer.add_chat_template(tokenizer.chat_template)


def cutting_of(tokenizer: dict[str, Any]) -> str:
    """What llama.cpp calls the rule by which this tokenizer cuts text before it merges. Raises RecipeError."""
    first = tokenizer.get("pre_tokenizer") or {}
    steps = first.get("pretokenizers", [first])
    last = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}
    is_byte_level = steps[-1:] and all(steps[-1].get(name) == value for name, value in last.items())
    if tokenizer["model"]["type"] != "BPE" or tokenizer.get("normalizer") or not is_byte_level:
        raise RecipeError("llama.cpp does not know how this tokenizer cuts text.")
    if len(steps) == 1:
        return "gpt-2"
    if len(steps) == 2 and steps[0].get("type") == "Digits" and steps[0].get("individual_digits"):
        return "smollm"
    raise RecipeError("llama.cpp does not know how this tokenizer cuts text.")


def tensors_of(model: Path, config: dict[str, Any]) -> Iterator[tuple[str, NDArray[numpy.float32]]]:
    """(name in GGUF, float32 numbers) of each weight. Raises RecipeError for one that has no name there."""
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config["num_hidden_layers"])
    heads = {"q_proj": config["num_attention_heads"], "k_proj": config["num_key_value_heads"]}
    for name, weight in sorted(load_file(model / "model.safetensors").items()):
        known = names.get_name(name, try_suffixes=(".weight",))
        if known is None:
            raise RecipeError(f"{name} has no place in a GGUF of Llama's architecture.")
        turning = next((number for layer, number in heads.items() if name.endswith(f"{layer}.weight")), 0)
        ordered = turned(weight, turning) if turning else weight
        yield known, ordered.float().contiguous().numpy()


def turned(weight: Tensor, heads: int) -> Tensor:
    """Rows of queries and keys in GGUF's order: the two halves of a head, which are turned together, one by one."""
    rows, columns = weight.shape
    return weight.view(heads, 2, rows // heads // 2, columns).transpose(1, 2).reshape(rows, columns)


def measure(config: Configuration, model: Path, file: Path) -> dict[str, Any]:
    """The file beside the model that it was written from, on part of the validation split."""
    tokenizer = AutoTokenizer.from_pretrained(model)
    examples = validation_part(load_examples(config, tokenizer, "validation"), config)
    before: Any = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
    read: Any = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32)
    theirs = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    first, second = bpb_of(before, examples), bpb_of(read, examples)
    texts = [text for row in read_rows(config.data.validation) for text in (row.request, row.completion)]
    return {
        "bpb_before": first,
        "bpb": second,
        "bpb_ratio": second / first,
        "logits": farthest(before, read, examples[:COMPARED]),
        "same_tokens": all(tokens_of(tokenizer, text) == tokens_of(theirs, text) for text in texts),
        "measured_on": len(examples),
        "bytes": file.stat().st_size,
    }


def tokens_of(tokenizer: Any, text: str) -> list[int]:
    """A text as tokens."""
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids


def main() -> int:
    """Command line; the facts as JSON on the last line."""
    parser = argparse.ArgumentParser(description="Write a merged model as GGUF.")
    parser.add_argument("config", type=Path, help="of the run that was merged, for its validation split")
    parser.add_argument("model", type=Path, help="what training.recipes.merge wrote")
    parser.add_argument("target", type=Path, help="a new file")
    parser.add_argument("--kind", choices=list(KINDS), default="f16")
    given = parser.parse_args()
    if given.target.exists():
        print(f"{given.target} is there already.", file=sys.stderr)  # noqa: T201
        return 1
    try:
        facts = export(Configuration.read(given.config, "qlora"), given.model, given.target, given.kind)
    except (ConfigurationError, RecipeError, ValueError, KeyError, OSError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    print(json.dumps(facts))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
