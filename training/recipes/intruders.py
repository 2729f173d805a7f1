"""An adapter's intruder dimensions, what scaling them down costs and brings, and the adapter that comes of it.

    python -m training.recipes.intruders run-folder/config.toml [--write target-folder] [--cache folder]

`training/evaluation/intruders.py` says what they are. For each factor this measures bits per byte on the validation
split and on the fixed texts in other languages (forgetting). A factor is advised when it gives back at least 30 % of
what was forgotten for at most 10 % of what was gained; otherwise the answer is "no benefit". The base's singular
vectors can be kept in a cache folder, under the hash of its weights: they are most of the work.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from bitsandbytes.nn.modules import Linear4bit
from peft import PeftModel
from peft.tuners.lora import LoraLayer
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer

from training.evaluation.forgetting import texts_beside
from training.evaluation.intruders import Found, basis_of, find_intruders, mitigated, summary
from training.evaluation.scores import bits_per_byte
from training.recipes.base_model import sha256_of_file
from training.recipes.comparison import read_plainly
from training.recipes.compose import scaling_of
from training.recipes.configuration import IN_FULL_PRECISION, Configuration, ConfigurationError
from training.recipes.devices import compute_dtype, device_map
from training.recipes.four_bits import load_in_4_bits, unpacked
from training.recipes.journal import write_json
from training.recipes.loop import load_examples
from training.recipes.stages import RecipeError, losses_of, validation_part

FACTORS = (1.0, 0.75, 0.5, 0.25)
LEAST_RECOVERED, MOST_LOST = 0.3, 0.1


def layers_of(model: Any) -> Iterator[tuple[str, Any]]:
    """(name, layer) of each layer that has LoRA matrices, in the order of their names."""
    return iter(sorted((name, layer) for name, layer in model.named_modules() if isinstance(layer, LoraLayer)))


def weight_of(layer: Any) -> Tensor:
    """The base's weight of an adapted layer, float32; out of its four bits where it is in them."""
    base = layer.get_base_layer()
    weight: Tensor = unpacked(base) if isinstance(base, Linear4bit) else base.weight
    return weight.detach().float()


def audit(model: Any, cache: Path | None = None) -> dict[str, Found]:
    """The intruders of each adapted layer of a peft model."""
    bases = load_file(cache) if cache is not None and cache.is_file() else {}
    found, fresh = {}, {}
    for name, layer in layers_of(model):
        weight = weight_of(layer)
        basis = bases[name] if name in bases else basis_of(weight)
        fresh[name] = basis
        a, b = layer.lora_A["default"].weight, layer.lora_B["default"].weight
        found[name] = find_intruders(weight, layer.scaling["default"] * (b @ a).detach().float(), basis)
    if cache is not None and not bases:
        cache.parent.mkdir(parents=True, exist_ok=True)
        save_file({name: basis.contiguous() for name, basis in fresh.items()}, cache)
    return found


def matrices_of(folder: Path, found: dict[str, Found], factor: float) -> tuple[dict[str, Tensor], dict[str, int]]:
    """The matrices of an adapter whose intruders are scaled, by their names in its file; and each layer's rank."""
    about = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    kept, scaling = load_file(folder / "adapter_model.safetensors"), scaling_of(about)
    made, ranks = {}, {}
    for name, one in found.items():
        first, second = f"{name}.lora_A.weight", f"{name}.lora_B.weight"
        a, b = mitigated(kept[first], kept[second], scaling, one, factor)
        made[first], made[second] = a.contiguous(), b.contiguous()
        ranks[name.removeprefix("base_model.model.")] = len(a)
    return made, ranks


def write(folder: Path, found: dict[str, Found], factor: float, target: Path) -> None:
    """Write that adapter into a new folder, as peft reads it. Raises OSError."""
    about = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    made, ranks = matrices_of(folder, found, factor)
    target.mkdir(parents=True)
    save_file(made, target / "adapter_model.safetensors", metadata={"format": "pt"})
    # Every layer has a rank of its own now; alpha = rank says "times one".
    plain = {"r": about["r"], "lora_alpha": about["r"], "use_rslora": False, "lora_dropout": 0.0}
    write_json(target / "adapter_config.json", about | plain | {"rank_pattern": ranks, "alpha_pattern": ranks})


def trade_off(config: Configuration, cache: Path | None = None) -> dict[str, Any]:
    """Count, curve and advice for the adapter of a finished run. Raises RecipeError."""
    torch.set_num_threads(config.recipe.threads)
    folder = config.folder / "adapter"
    if not (folder / "adapter_model.safetensors").is_file():
        raise RecipeError("The run has no adapter: it is not finished, or it made a whole model.")
    tokenizer = AutoTokenizer.from_pretrained(config.base.path)
    examples = validation_part(load_examples(config, tokenizer, "validation"), config)
    model = load(config, folder)
    found = audit(model, cache)
    curve = []
    with model.disable_adapter():
        before = _measure(model, tokenizer, examples, config)
    for factor in FACTORS:
        with scaled(model, found, factor):
            bpb, other = _measure(model, tokenizer, examples, config)
        curve.append({"factor": factor, "bpb": bpb, "forgotten": other - before[1]})
    return {**summary(list(found.values())), "base_bpb": before[0], "curve": curve, **advise(before[0], curve)}


@contextmanager
def scaled(model: Any, found: dict[str, Found], factor: float) -> Iterator[None]:
    """Within it, the intruders of a live model are scaled by a factor."""
    kept = {}
    for name, layer in layers_of(model):
        a, b = layer.lora_A["default"].weight, layer.lora_B["default"].weight
        kept[name] = (a.data, b.data, layer.scaling["default"])
        a.data, b.data = mitigated(*kept[name], found[name], factor)
        layer.scaling["default"] = 1.0
    try:
        yield
    finally:
        for name, layer in layers_of(model):
            a, b = layer.lora_A["default"].weight, layer.lora_B["default"].weight
            a.data, b.data, layer.scaling["default"] = kept[name]


def advise(base_bpb: float, curve: Sequence[dict[str, float]]) -> dict[str, Any]:
    """The factor that gives back most of what was forgotten at a price that is allowed; `advised` 1 means none does."""
    whole = curve[0]
    gained, forgotten = base_bpb - whole["bpb"], whole["forgotten"]
    best, most = 1.0, -math.inf
    for row in curve[1:]:
        recovered = (forgotten - row["forgotten"]) / forgotten if forgotten > 0 else 0.0
        lost = (row["bpb"] - whole["bpb"]) / gained if gained > 0 else math.inf
        if recovered >= LEAST_RECOVERED and lost <= MOST_LOST and recovered > most:
            best, most = row["factor"], recovered
    return {"advised": best, "verdict": "no benefit" if best == 1.0 else f"scale by {best:g}"}


def _measure(model: Any, tokenizer: Any, examples: Any, config: Configuration) -> tuple[float, float]:
    """Bits per byte on the examples, and the mean of those on the texts in other languages."""
    own = bits_per_byte(losses_of(model, examples), [example.target_bytes for example in examples])
    others = []
    for text in texts_beside(config.language.target_tag, config.language.source_tag):
        nats, _ = read_plainly(model, tokenizer, text)
        others.append(bits_per_byte(nats, [len(sentence.encode()) for sentence in text.sentences]))
    return own, math.fsum(others) / len(others)


def load(config: Configuration, folder: Path) -> Any:
    """The base as the run had it, with its adapter."""
    if config.recipe.method not in IN_FULL_PRECISION:
        base = load_in_4_bits(config.base.path)
    else:
        base = AutoModelForCausalLM.from_pretrained(config.base.path, device_map=device_map(), dtype=compute_dtype())
    return PeftModel.from_pretrained(base, folder).eval()


def main() -> int:
    """Command line; the figures as JSON on the last line."""
    parser = argparse.ArgumentParser(description="Find an adapter's intruder dimensions, and scale them down.")
    parser.add_argument("config", type=Path)
    parser.add_argument("--write", type=Path, help="write the adapter with the advised factor here")
    parser.add_argument("--cache", type=Path, help="keep the base's singular vectors here")
    given = parser.parse_args()
    try:
        raw = Configuration.read(given.config, "qlora")
        in_4_bits = "float" if raw.recipe.method in IN_FULL_PRECISION else "nf4"
        name = f"{sha256_of_file(Path(raw.base.path) / 'model.safetensors')[:16]}-{in_4_bits}.safetensors"
        cache = given.cache / name if given.cache else None
        facts = trade_off(raw, cache)
        if given.write and facts["advised"] != 1.0:
            model = load(raw, raw.folder / "adapter")
            write(raw.folder / "adapter", audit(model, cache), facts["advised"], given.write)
    except (ConfigurationError, RecipeError, OSError, ValueError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    print("factor  bits per byte  forgotten")  # noqa: T201
    for row in facts["curve"]:
        print(f"{row['factor']:6.2f}  {row['bpb']:13.4f}  {row['forgotten']:+9.4f}")  # noqa: T201
    print(json.dumps(facts))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
