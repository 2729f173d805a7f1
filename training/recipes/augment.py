"""More rows out of those that there are: back-translation, paraphrase, and new sentences for a class.

    python -m training.recipes.augment back_translation run-folder/config.toml out.jsonl
    python -m training.recipes.augment paraphrase run-folder/config.toml out.jsonl
    python -m training.recipes.augment label run-folder/config.toml out.jsonl

The run is finished, and its adapter writes. For the first two it must have learnt both directions
(`mixing.both_directions`), for the third to sort sentences.

- back_translation (Sennrich et al. 2016): each answer of the training split is translated back, and the lesson is to
  translate that forward again; its request is marked, so that a model can tell it apart (Caswell et al. 2019).
- paraphrase: other answers to the same request, drawn by chance.
- label (Kumar, Choudhary & Cho 2020): new sentences for a class, which go on from the first words of one that has it;
  written by the base model after some sentences of the class, and kept where the adapter is sure that they are of it
  (`LEAST_SURE`; Anaby-Tavor et al. 2020 filter by confidence, too).

A row is kept when translating it the other way round gives what it was made of, when it is no copy, and when it does
not stammer (`refused` in training/recipes/synthetic.py). What was dropped, and why, is printed as JSON. Every row names
its parents and dies with them; a run reads the file when its config.toml names it as `data.synthetic`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer

from training.evaluation.likelihood import shared_recalls
from training.recipes.configuration import Configuration, ConfigurationError
from training.recipes.generation import generate_batch, sample_batch
from training.recipes.intruders import load
from training.recipes.mixing import turned
from training.recipes.stages import RecipeError
from training.recipes.synthetic import HOW, Synthetic, as_line, copies, refused
from training.recipes.text import Row, encode, prompt_of, read_rows

MARK = "<BT> "
TRIES, SHOWN, FIRST_WORDS, AT_ONCE = 3, 4, 3, 8
# The share of a class's likelihood among all classes from which on a new sentence is taken to be of it.
LEAST_SURE = 0.8

Answer = Callable[[Sequence[Row]], list[list[str]]]
"""Some answers to each request."""
Sureness = Callable[[Sequence[Row]], list[float]]
"""How likely the completion of each row is, as a share of all classes."""
Made = tuple[list[Synthetic], Counter[str]]


def back_translate(rows: Sequence[Row], config: Configuration, answer: Answer, made_by: str) -> Made:
    """For each row, its answer asked for in words of a machine; `answer` gives the likeliest answer."""
    sources = [texts[0] for texts in answer([turned(row, config) for row in rows])]
    returned = answer([_asked(row, row.id, text) for row, text in zip(rows, sources, strict=True)])
    tried = []
    for row, text, back in zip(rows, sources, returned, strict=True):
        marked = _asked(row, f"bt:{row.id}", MARK + text)
        made = Synthetic(marked, "back_translation", (row.id,), made_by)
        tried.append((text, made, refused(text, row.source, back[0], row.completion)))
    return _kept(tried, [row.source for row in rows])


def paraphrase(rows: Sequence[Row], config: Configuration, draw: Answer, answer: Answer, made_by: str) -> Made:
    """For each row, other answers to the same request, drawn by chance."""
    fresh = [
        (row, replace(row, id=f"pp:{row.id}:{number}", completion=text))
        for row, tries in zip(rows, draw(rows), strict=True)
        for number, text in enumerate(tries)
    ]
    returned = answer([turned(one, config) for _, one in fresh])
    tried = []
    for (row, one), back in zip(fresh, returned, strict=True):
        made = Synthetic(one, "paraphrase", (row.id,), made_by)
        tried.append((one.completion, made, refused(one.completion, row.completion, back[0], row.source)))
    return _kept(tried, [row.completion for row in rows])


def for_labels(rows: Sequence[Row], draw: Answer, sureness: Sureness, made_by: str) -> Made:
    """For each row, new sentences that go on from its first words, kept where they are surely of its class."""
    shown = {row.id: [one for one in rows if one.completion == row.completion and one.id != row.id] for row in rows}
    shown = {name: some[:SHOWN] for name, some in shown.items()}
    fresh = [
        (row, _asked(row, f"lb:{row.id}:{number}", f"{_opening(row)} {text}".strip()))
        for row, tries in zip(rows, draw([_begun(row, shown[row.id]) for row in rows]), strict=True)
        for number, text in enumerate(tries)
    ]
    tried = []
    for (row, one), sure in zip(fresh, sureness([one for _, one in fresh]), strict=True):
        # The sentences that were shown as examples are parents as well.
        parents = (row.id, *(other.id for other in shown[row.id]))
        why = refused(one.source, row.source, one.source, one.source) if sure >= LEAST_SURE else "label"
        tried.append((one.source, Synthetic(one, "label", parents, made_by), why))
    return _kept(tried, [row.source for row in rows])


def _kept(tried: Sequence[tuple[str, Synthetic, str]], written: Sequence[str]) -> Made:
    """(text, row, why it is refused) of each try: the rows that stay, and how many went for which reason."""
    good = [(text, made) for text, made, why in tried if not why]
    copied = copies([text for text, _ in good], written)
    dropped = Counter(why for _, _, why in tried if why) + Counter({"copied": len(copied)})
    return [made for place, (_, made) in enumerate(good) if place not in copied], dropped


def _begun(row: Row, shown: Sequence[Row]) -> Row:
    examples = "\n".join(one.source for one in shown)
    request = f"Write one more sentence of the kind “{row.completion}”. Go on from the last line.\n{examples}"
    return replace(row, system="You write sentences.", request=f"{request}\n{_opening(row)}")


def _opening(row: Row) -> str:
    return " ".join(row.source.split()[:FIRST_WORDS])


def _asked(row: Row, name: str, source: str) -> Row:
    """The row's request with another sentence in it."""
    return replace(row, id=name, request=row.request.replace(row.source, source), source=source)


def answering(model: Any, tokenizer: Any, config: Configuration, tries: int = 0) -> Answer:
    """What a model answers: the likeliest, or so many tries by chance."""

    def answer(rows: Sequence[Row]) -> list[list[str]]:
        found: list[list[str]] = []
        most = config.evaluation.max_new_tokens
        for start in range(0, len(rows), AT_ONCE):
            part = rows[start : start + AT_ONCE]
            prompts = [prompt_of(tokenizer, system=row.system, request=row.request) for row in part]
            if tries:
                seed = f"{config.recipe.seed}:augment:{part[0].id}"
                texts = sample_batch(model, tokenizer, prompts, each=tries, max_new_tokens=most, seed=seed)
            else:
                texts = generate_batch(model, tokenizer, prompts, max_new_tokens=most)
            each = max(1, tries)
            found += [texts[place * each : (place + 1) * each] for place in range(len(part))]
        return found

    return answer


def surely(model: Any, tokenizer: Any, config: Configuration, classes: Sequence[str]) -> Sureness:
    """How sure a model is of each row's completion beside the other classes; of a row that is too long, not at all."""
    length = config.recipe.max_length

    def sureness(rows: Sequence[Row]) -> list[float]:
        found = []
        for row in rows:
            asked = [encode(tokenizer, replace(row, completion=name), max_length=length) for name in classes]
            read = [example for example in asked if example is not None]
            if len(read) < len(classes):
                found.append(0.0)
                continue
            # The request, which is most of it, is read once for all classes.
            told = shared_recalls(model, [(example.tokens, example.prompt) for example in read])
            shares = torch.tensor([nats for nats, _ in told], dtype=torch.float64).neg().softmax(0)
            found.append(float(shares[classes.index(row.completion)]))
        return found

    return sureness


def _id_of(row: Row) -> str:
    return row.id


def run(how: str, config: Configuration) -> Made:
    """The rows that a finished run's adapter makes. Raises RecipeError, OSError."""
    torch.set_num_threads(config.recipe.threads)
    report = json.loads((config.folder / "report.json").read_text(encoding="utf-8"))
    made_by, tokenizer = str(report["adapter_sha256"]), AutoTokenizer.from_pretrained(config.base.path)
    rows = [row for row in sorted(read_rows(config.data.train), key=_id_of) if row.source and row.source in row.request]
    if not rows:
        raise RecipeError("The training split holds no request with a sentence in it to work on.")
    model = load(config, config.folder / "adapter")
    answer, draw = answering(model, tokenizer, config), answering(model, tokenizer, config, TRIES)
    if how == "label":

        def by_the_base(asked: Sequence[Row]) -> list[list[str]]:
            with model.disable_adapter():
                return draw(asked)

        classes = sorted({row.completion for row in rows})
        return for_labels(rows, by_the_base, surely(model, tokenizer, config, classes), made_by)
    if not config.mixing.both_directions:
        raise RecipeError("The run must have learnt both directions: mixing.both_directions = true.")
    if how == "paraphrase":
        return paraphrase(rows, config, draw, answer, made_by)
    return back_translate(rows, config, answer, made_by)


def main() -> int:
    """Command line; what was kept and dropped as JSON on the last line."""
    parser = argparse.ArgumentParser(description="Make more training rows with a finished run.")
    parser.add_argument("how", choices=HOW)
    parser.add_argument("config", type=Path)
    parser.add_argument("out", type=Path)
    given = parser.parse_args()
    try:
        found, dropped = run(given.how, Configuration.read(given.config, "qlora"))
    except (ConfigurationError, RecipeError, OSError, ValueError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    lines = [json.dumps(as_line(one), ensure_ascii=False) + "\n" for one in found]
    given.out.write_text("".join(lines), encoding="utf-8")
    print(json.dumps({"kept": len(found), "dropped": dict(sorted(dropped.items()))}))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
