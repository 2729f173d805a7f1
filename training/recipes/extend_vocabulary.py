"""A base model with more tokens for a language, so that its words are cut into fewer pieces.

    python -m training.recipes.extend_vocabulary run-folder/config.toml new-base-folder [--tokens 1000]

The site has it done from “What else runs learn from” (`training/runs/vocabularies.py`).

Byte-pair encoding goes on where the base's tokenizer stopped, on the completions of the training split and the texts of
`data.text`: the pair of tokens that is most often side by side becomes a token, and so on. The old merges come first,
so other languages are cut as before wherever no new token fits. Each new token begins as the mean of the old tokens
that it is made of (Yamaguchi et al. 2025: better than by chance). The report says how many tokens a word costs before
and after, and what beginning by mean and by chance gives in bits per byte on the validation split.

What comes of it is a base model like any other; runs on it are made as before. It was made from people's words, so it
goes when they go: its model.json names the release.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from heapq import heapify, heappop, heappush
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from tokenizers import Tokenizer
from tokenizers.models import BPE
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast
from transformers.convert_slow_tokenizer import bytes_to_unicode

from training.evaluation.fertility import fertility_report
from training.evaluation.scores import bits_per_byte
from training.recipes.base_model import sha256_of_file
from training.recipes.configuration import Configuration, ConfigurationError
from training.recipes.journal import write_json
from training.recipes.loop import load_examples
from training.recipes.rows import read_rows, read_texts
from training.recipes.stages import RecipeError, losses_of, validation_part

Pair = tuple[str, str]
# As byte-level tokenizers write a byte, and which it is.
BYTES = {letter: byte for byte, letter in bytes_to_unicode().items()}
LEAST = 2  # A pair that stands side by side once teaches nothing.


def merges_of(words: Counter[tuple[str, ...]], number: int) -> list[Pair]:
    """The next merges of byte-pair encoding (Sennrich et al. 2016) on words that are cut into tokens already.

    Ties go to the pair that comes first in the alphabet.
    """
    cut = {word: list(word) for word in words}
    pairs, places = Counter[Pair](), defaultdict[Pair, set[tuple[str, ...]]](set)

    def count(word: tuple[str, ...], sign: int) -> set[Pair]:
        beside = list(zip(cut[word], cut[word][1:], strict=False))
        for pair in beside:
            pairs[pair] += sign * words[word]
            places[pair].add(word)
        return set(beside)

    for word in words:
        count(word, 1)
    # The most frequent first; what is not true any more is passed over when its turn comes.
    queue = [(-times, pair) for pair, times in pairs.items()]
    heapify(queue)
    found: list[Pair] = []
    while len(found) < number and queue:
        times, best = heappop(queue)
        if -times != pairs[best]:
            continue
        if -times < LEAST:
            break
        found.append(best)
        changed = set[Pair]()
        for word in places.pop(best):
            changed |= count(word, -1)
            cut[word] = _merged(cut[word], best)
            changed |= count(word, 1)
        for pair in changed:
            heappush(queue, (-pairs[pair], pair))
    return found


def _merged(tokens: list[str], pair: Pair) -> list[str]:
    made, place = [], 0
    while place < len(tokens):
        if tuple(tokens[place : place + 2]) == pair:
            made.append(pair[0] + pair[1])
            place += 2
        else:
            made.append(tokens[place])
            place += 1
    return made


def words_of(texts: Sequence[str], tokenizer: Any) -> Counter[tuple[str, ...]]:
    """How often each word stands in the texts, as the tokens that it is cut into; a word is what the tokenizer never
    merges across. Raises RecipeError."""
    backend: Tokenizer = tokenizer.backend_tokenizer
    if not isinstance(backend.model, BPE) or backend.pre_tokenizer is None:
        raise RecipeError("Tokens can be learnt only for a tokenizer that cuts texts into words, and these by pairs.")
    found = Counter[tuple[str, ...]]()
    for text in texts:
        for word, _ in backend.pre_tokenizer.pre_tokenize_str(text):
            found[tuple(token.value for token in backend.model.tokenize(word))] += 1
    return found


def extended(tokenizer: Any, merges: Sequence[Pair]) -> tuple[Any, dict[int, list[int]]]:
    """The tokenizer with these merges behind its own; and for each new token, the old ones that it is made of."""
    about = json.loads(tokenizer.backend_tokenizer.to_str())
    vocabulary, known = about["model"]["vocab"], tokenizer.get_vocab()
    made_of = {name: [number] for name, number in known.items()}
    new: dict[int, list[int]] = {}
    following = max(known.values()) + 1
    for first, second in merges:
        token = first + second
        about["model"]["merges"].append([first, second])
        if token in vocabulary:
            continue
        made_of[token] = made_of[first] + made_of[second]
        vocabulary[token], new[following] = following, made_of[token]
        following += 1
    fast = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(json.dumps(about)),
        **{
            name: getattr(tokenizer, name)
            for name in ("bos_token", "eos_token", "pad_token")
            if getattr(tokenizer, name)
        },
    )
    fast.chat_template = tokenizer.chat_template
    return fast, new


@torch.no_grad()
def enlarge(model: Any, new: dict[int, list[int]], *, by_chance: bool = False) -> None:
    """Rows for the new tokens in the embedding, and in the output layer where that is another matrix: each the mean of
    the rows of the old tokens that it is made of, or drawn like them."""
    # Some models have more rows than their tokenizer has tokens; these come first.
    size = max(model.get_input_embeddings().num_embeddings, max(new) + 1)
    model.resize_token_embeddings(size, mean_resizing=False)
    layers = (model.get_input_embeddings(), model.get_output_embeddings())
    # One matrix where the two are tied.
    for weight in {id(layer.weight): layer.weight for layer in layers}.values():
        old, drawn = weight[: min(new)], torch.Generator().manual_seed(min(new))
        centre, spread = old.mean(0), old.std(0)
        for number, parts in new.items():
            chance = centre + spread * torch.randn(weight.shape[1], generator=drawn)
            weight[number] = chance if by_chance else weight[parts].mean(0)


def run(config: Configuration, target: Path, number: int) -> dict[str, Any]:
    """Write the larger base into a new folder; its facts. Raises RecipeError, OSError."""
    torch.set_num_threads(config.recipe.threads)
    tokenizer = AutoTokenizer.from_pretrained(config.base.path)
    more = read_texts(config.data.text) if config.data.text else []
    texts = sorted({row.completion for row in read_rows(config.data.train)} | {text for text, _ in more})
    merges = merges_of(words_of(texts, tokenizer), number)
    larger, new = extended(tokenizer, merges)
    if not new:
        raise RecipeError("There is too little text to learn tokens from.")
    held_out = [row.completion for row in read_rows(config.data.validation)]
    before = fertility_report(held_out, tokenizer.tokenize)
    after = fertility_report(held_out, larger.tokenize)
    facts: dict[str, Any] = {"tokens": len(new), "learnt_from": len(texts), "before": before, "after": after}
    model: Any = AutoModelForCausalLM.from_pretrained(config.base.path, dtype=torch.float32)
    facts["bpb_before"] = bpb_of(model.eval(), tokenizer, config)
    for name in ("by_chance", "by_mean"):
        # Two at once may be more than there is memory for.
        del model
        model = AutoModelForCausalLM.from_pretrained(config.base.path, dtype=torch.float32)
        enlarge(model, new, by_chance=name == "by_chance")
        facts[f"bpb_{name}"] = bpb_of(model.eval(), larger, config)
    with safe_open(Path(config.base.path) / "model.safetensors", framework="pt") as file:
        stored = file.get_tensor(next(iter(file.keys()))).dtype
    # Measured in 32 bits, kept as the base was, so that it is as large.
    model.to(stored).save_pretrained(target, max_shard_size="1TB")
    # As for other bases: web server and worker may be different users.
    (target / "model.safetensors").chmod(0o644)
    larger.save_pretrained(target)
    write_tokens(target / "tokens.jsonl", new, tokenizer, larger, texts)
    whole, old = (path / "model.safetensors" for path in (target, Path(config.base.path)))
    facts["file_ratio"] = whole.stat().st_size / old.stat().st_size
    about = {
        "name": target.name,
        "source": f"{Path(config.base.path).name} with {len(new)} more tokens",
        "sha256": sha256_of_file(whole),
        "extends": config.base.sha256 or sha256_of_file(old),
        "release": config.release.sha256,
        "vocabulary": facts,
    }
    if (licence := Path(config.base.path) / "model.json").is_file():
        about["licence"] = json.loads(licence.read_text(encoding="utf-8")).get("licence", "")
    write_json(target / "model.json", about)
    return facts


def write_tokens(path: Path, new: Mapping[int, list[int]], tokenizer: Any, larger: Any, texts: Sequence[str]) -> None:
    """A line for each new token, the most frequent first: its letters, those of the old tokens that it stands for, and
    how often it stands in the texts. Of a letter that is cut, the bytes are told."""
    counts = Counter(number for text in texts for number in larger(text, add_special_tokens=False)["input_ids"])
    with path.open("w", encoding="utf-8") as file:
        for number in sorted(new, key=lambda number: (-counts[number], number)):
            told = {"token": _told(larger, number), "times": counts[number]}
            told["of"] = [_told(tokenizer, part) for part in new[number]]
            file.write(json.dumps(told, ensure_ascii=False) + "\n")


def _told(tokenizer: Any, number: int) -> str:
    text = str(tokenizer.decode([number]))
    if "\ufffd" not in text:
        return text
    name = tokenizer.convert_ids_to_tokens(number)
    return " ".join(f"{BYTES[letter]:02X}" if letter in BYTES else letter for letter in name)


def bpb_of(model: Any, tokenizer: Any, config: Configuration) -> float:
    """Bits per byte on part of the validation split."""
    examples = validation_part(load_examples(config, tokenizer, "validation"), config)
    return bits_per_byte(losses_of(model, examples), [example.target_bytes for example in examples])


def main() -> int:
    """Command line; the facts as JSON on the last line."""
    parser = argparse.ArgumentParser(description="Give a base model more tokens for a language.")
    parser.add_argument("config", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--tokens", type=int, default=1000)
    given = parser.parse_args()
    if given.target.exists():
        print(f"{given.target} is there already.", file=sys.stderr)  # noqa: T201
        return 1
    try:
        facts = run(Configuration.read(given.config, "lora"), given.target, given.tokens)
    except (ConfigurationError, RecipeError, OSError, ValueError) as error:
        shutil.rmtree(given.target, ignore_errors=True)
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    gain = 1 - facts["after"]["tokens_per_word"] / facts["before"]["tokens_per_word"]
    print(f"{facts['tokens']} new tokens; {100 * gain:.1f} % fewer tokens a word on held-out text")  # noqa: T201
    print(json.dumps(facts if math.isfinite(gain) else {}))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
