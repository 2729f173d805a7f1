"""An adapter and its base as one model: for programs that load no adapters, and for `training/recipes/to_gguf.py`.

    python -m training.recipes.merge run-folder/config.toml target-folder [--rank 4] [--onto nf4]

What the adapter adds to a layer, s B A, is added to the layer's weights, in float32. An adapter that learnt beside a
base in four bits fits to what these four bits say, not to the weights they were rounded from; so there are two ways to
merge it, onto the unpacked four bits (`nf4`) and onto the base as it was (`base`). Both are measured, bits per byte on
part of the validation split and the largest difference of a logit from the live adapter's, and the better one is kept,
or the one that was asked for. `--rank` takes the first ranks of an adapter that DyLoRA or QDyLoRA made, and of another
one the nearest adapter of that rank (`training/recipes/prune.py`), whose price is in the facts.

The target gets the model as transformers reads it, a card, and model.json, which says what it was made of. Whoever
wrote what the adapter learnt from is as much in the merged model: the same terms hold for it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer

from training.evaluation.scores import bits_per_byte
from training.recipes.base_model import sha256_of_file
from training.recipes.card import card_of
from training.recipes.compose import require_plain, scaling_of
from training.recipes.configuration import (
    BASE,
    BY_RANKS,
    IN_FULL_PRECISION,
    NF4,
    WHOLE_MODELS,
    Configuration,
    ConfigurationError,
)
from training.recipes.four_bits import load_unpacked
from training.recipes.intruders import load
from training.recipes.journal import write_json
from training.recipes.loop import check_base, load_examples
from training.recipes.prune import shrink
from training.recipes.ranks import cut
from training.recipes.report import sha256_of_tensors
from training.recipes.stages import RecipeError, losses_of, validation_part
from training.recipes.text import Example

COMPARED = 12  # sentences of which every logit is compared
OBLIGATIONS = (
    "It was made from words of a community's members and may be used only for what they allowed.",
    "When words that it learnt from are withdrawn, its copies are to be deleted; the community says so.",
    "It is passed on only with this file, the card and the same obligations.",
)


def merge(config: Configuration, target: Path, *, rank: int | None = None, onto: str = "") -> dict[str, Any]:
    """Write the merged model of a finished run into a new folder; its facts (model.json).

    Raises RecipeError, ValueError, OSError.
    """
    torch.set_num_threads(config.recipe.threads)
    report = report_of(config)
    places = (BASE,) if config.recipe.method in IN_FULL_PRECISION else (NF4, BASE)
    if onto and onto not in places:
        raise RecipeError("The run had its base in full precision; there are no four bits to merge onto.")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".merging-", dir=target.parent) as name:
        building = Path(name) / "model"
        adapter, price = adapter_at(config, rank, Path(name) / "adapter")
        tokenizer = AutoTokenizer.from_pretrained(config.base.path)
        examples = validation_part(load_examples(config, tokenizer, "validation"), config)
        live: Any = load(config, adapter)
        measured = {}
        for place in places:
            model = merged(config, adapter, place)
            measured[place] = {"bpb": bpb_of(model, examples), "logits": farthest(live, model, examples[:COMPARED])}
        kept = onto or min(places, key=lambda place: measured[place]["bpb"])
        if kept != places[-1]:
            model = merged(config, adapter, kept)
        model.save_pretrained(building, max_shard_size="1TB")
        tokenizer.save_pretrained(building)
        # safetensors writes for the owner only, but web server and worker may be different users.
        (building / "model.safetensors").chmod(0o644)
        facts = {
            **facts_of(config, report, building, rank),
            **({"pruned": price} if price else {}),
            "merged": {"onto": kept, "chosen": "asked for" if onto else "fewer bits per byte", "measured": measured},
            "kept_bpb": measured[kept]["bpb"],
            "live_bpb": bpb_of(live, examples),
            "measured_on": len(examples),
        }
        write_json(building / "model.json", facts)
        (building / "README.md").write_text(card_of_merged(facts, report), encoding="utf-8")
        os.replace(building, target)
    return facts


def report_of(config: Configuration) -> dict[str, Any]:
    """The report of the finished run whose adapter is still the one that it names. Raises RecipeError, OSError."""
    if config.recipe.method in WHOLE_MODELS:
        raise RecipeError("The run made a whole model; there is nothing to merge.")
    weights = config.folder / "adapter" / "adapter_model.safetensors"
    if not (config.folder / "report.json").is_file() or not weights.is_file():
        raise RecipeError("The run is not finished, or its adapter was deleted.")
    report: dict[str, Any] = json.loads((config.folder / "report.json").read_text(encoding="utf-8"))
    if sha256_of_tensors(load_file(weights)) != report["adapter_sha256"]:
        raise RecipeError("The adapter is not the one that the run's report names by its hash.")
    check_base(config)
    return report


def adapter_at(config: Configuration, rank: int | None, place: Path) -> tuple[Path, dict[str, Any]]:
    """The folder of the run's adapter, with a rank that of a smaller one, which is written to the place; and what
    that one costs, where it was not trained for it."""
    whole = config.folder / "adapter"
    if rank is None:
        return whole, {}
    if config.recipe.method in BY_RANKS:
        cut(whole, rank, place)
        return place, {}
    return place, shrink(config, rank, place)


@torch.no_grad()
def merged(config: Configuration, adapter: Path, onto: str) -> Any:
    """The base in float32, what the adapter adds to it included. Raises CannotCompose for what is no plain LoRA."""
    path = config.base.path
    model: Any = load_unpacked(path) if onto == NF4 else AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
    for name, added in added_by(adapter).items():
        weight = model.get_submodule(name).weight
        weight.copy_((weight.double() + added).float())
    return model.eval()


def added_by(adapter: Path) -> dict[str, Tensor]:
    """What an adapter adds to each layer's weights, in float64, by the layer's name in the base."""
    about = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
    require_plain(adapter, about)
    matrices, added = load_file(adapter / "adapter_model.safetensors"), {}
    if odd := [name for name in matrices if ".lora_A." not in name and ".lora_B." not in name]:
        raise RecipeError(f"{odd[0]} is no matrix beside a layer, so it cannot be merged into one.")
    for name, a in matrices.items():
        if ".lora_A." in name:
            b = matrices[name.replace(".lora_A.", ".lora_B.")]
            layer = name.removeprefix("base_model.model.").removesuffix(".lora_A.weight")
            added[layer] = scaling_of(about) * (b.double() @ a.double())
    return added


def bpb_of(model: Any, examples: Sequence[Example]) -> float:
    """Bits per byte of the completions."""
    return bits_per_byte(losses_of(model, examples), [example.target_bytes for example in examples])


@torch.inference_mode()
def farthest(one: Any, other: Any, examples: Sequence[Example]) -> float:
    """The largest difference between two models' logits, over all tokens of the examples."""
    most = 0.0
    for example in examples:
        ids = torch.tensor([example.tokens])
        seen = [model(input_ids=ids.to(model.device), use_cache=False).logits.float().cpu() for model in (one, other)]
        most = max(most, float((seen[0] - seen[1]).abs().max()))
    return most


def facts_of(config: Configuration, report: dict[str, Any], folder: Path, rank: int | None) -> dict[str, Any]:
    """What the model is and what it was made of."""
    licence, about = "", Path(config.base.path) / "model.json"
    if about.is_file():
        licence = json.loads(about.read_text(encoding="utf-8")).get("licence", "")
    return {
        "name": f"{report['base']['path']}-merged",
        "sha256": sha256_of_file(folder / "model.safetensors"),
        "licence_of_base": licence,
        "made_of": {
            "method": report["method"],
            "base": report["base"],
            "adapter_sha256": report["adapter_sha256"],
            "rank": rank or report["recipe"]["rank"],
            "release_sha256": report["release"]["sha256"],
            "training_file_sha256": report["data"]["train"]["sha256"],
        },
        "obligations": list(OBLIGATIONS),
    }


def card_of_merged(facts: dict[str, Any], report: dict[str, Any]) -> str:
    """The card in Markdown: how it was merged, then the adapter's own card."""
    names = {NF4: "unpacked four bits", BASE: "base as it was"}
    kept, rank = facts["merged"]["onto"], facts["made_of"]["rank"]
    rows = "\n".join(
        f"| {names[place]}{' (kept)' if place == kept else ''} | {one['bpb']:.4f} | {one['logits']:.1e} |"
        for place, one in facts["merged"]["measured"].items()
    )
    duties = "\n".join(f"- {one}" for one in facts["obligations"])
    return f"""# A merged model

The adapter below at rank {rank}, added to the weights of its base. Kept is what was {facts["merged"]["chosen"]}, on
{facts["measured_on"]} validation sentences; the live adapter has {facts["live_bpb"]:.4f} bits per byte there.

| merged onto | bits per byte | largest difference of a logit from the live adapter |
|---|---|---|
{rows}

Weights SHA-256 `{facts["sha256"]}`; model.json says what it was made of. Licence of the base: \
{facts["licence_of_base"] or "see the base"}.

{duties}

{card_of(report)}"""


def main() -> int:
    """Command line; the facts as JSON on the last line."""
    parser = argparse.ArgumentParser(description="Merge a finished run's adapter into its base.")
    parser.add_argument("config", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--rank", type=int, help="a smaller rank than the adapter has")
    parser.add_argument("--onto", choices=[NF4, BASE], default="", help="otherwise the better of both")
    given = parser.parse_args()
    if given.target.exists():
        print(f"{given.target} is there already.", file=sys.stderr)  # noqa: T201
        return 1
    try:
        facts = merge(Configuration.read(given.config, "qlora"), given.target, rank=given.rank, onto=given.onto)
    except (ConfigurationError, RecipeError, ValueError, KeyError, OSError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    print(json.dumps(facts))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
