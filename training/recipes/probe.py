"""How hard an adapter finds sentences, and how far two adapters disagree about them.

    python -m training.recipes.probe --base FOLDER --adapter FOLDER [--rival FOLDER | --beside-base] [--write] \
        rows.jsonl

Rows are {"id", "system", "request", "completion"}; a row without a completion is one that nobody has answered. One
JSON line on stdout for each row: {"id", "adapter": {...}, "rival": {...} or null, "disagreement": 0 to 1 or null}. In
the braces stand `loss` (bits per byte of the completion; null without one), `entropy` (bits a token: of the completion,
or of the adapter's own answer where there is none) and `text` (its own answer, greedy; empty unless it was asked to
--write or there is no completion). Disagreement is 1 - chrF++/100 between the two texts, the mean of both directions.

With --beside-base the rival is the base model alone. A row that is too long to read at once is {"id", "skipped": true}.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from training.evaluation.likelihood import sentence_readings
from training.evaluation.scores import bits_per_byte, sentence_chrf
from training.recipes.generation import generate_batch, require_adapter
from training.recipes.text import TOKENS_AT_ONCE, Row, encode, pack, parts_of, prompt_of

AT_ONCE = 8
LONGEST = 1024
MAX_NEW_TOKENS = 64
ADAPTER, RIVAL = "adapter", "rival"


class Reader:
    """The base model, in float32 as where sentences are written one by one, with one adapter or two."""

    def __init__(self, base: str, adapters: dict[str, str], *, beside_base: bool = False) -> None:
        self._tokenizer = AutoTokenizer.from_pretrained(base)
        model: Any = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
        for name, folder in adapters.items():
            require_adapter(folder)
            if isinstance(model, PeftModel):
                model.load_adapter(folder, adapter_name=name)
            else:
                model = PeftModel.from_pretrained(model, folder, adapter_name=name)
        model.train(False)
        self._model, self._names = model, (*adapters, *((RIVAL,) if beside_base else ()))
        self._bare = {RIVAL} if beside_base else set()

    def read(self, rows: Sequence[Row], *, write: bool) -> Iterator[dict[str, Any]]:
        """What each adapter makes of each of a few rows, in their order."""
        readings = {name: self._readings(name, rows, write=write) for name in self._names}
        for place, row in enumerate(rows):
            found = {name: readings[name][place] for name in self._names}
            if None in found.values():
                yield {"id": row.id, "skipped": True}
                continue
            mine, other = found[ADAPTER], found.get(RIVAL)
            texts = (mine["text"], other["text"]) if mine and other else ("", "")
            yield {"id": row.id, ADAPTER: mine, RIVAL: other, "disagreement": disagreement(*texts)}

    def _readings(self, name: str, rows: Sequence[Row], *, write: bool) -> list[dict[str, Any] | None]:
        if name in self._bare:
            with self._model.disable_adapter():
                return self._read_with(rows, write=write)
        self._model.set_adapter(name)
        return self._read_with(rows, write=write)

    def _read_with(self, rows: Sequence[Row], *, write: bool) -> list[dict[str, Any] | None]:
        asked = [place for place, row in enumerate(rows) if write or not row.completion]
        prompts = [
            prompt_of(self._tokenizer, system=rows[place].system, request=rows[place].request) for place in asked
        ]
        written = (
            generate_batch(self._model, self._tokenizer, prompts, max_new_tokens=MAX_NEW_TOKENS) if prompts else []
        )
        texts = dict(zip(asked, written, strict=True))
        said = [
            Row(row.id, row.system, row.request, row.completion or texts.get(place, ""))
            for place, row in enumerate(rows)
        ]
        examples = [encode(self._tokenizer, row, max_length=LONGEST) for row in said]
        kept = [example for example in examples if example is not None]
        parts = parts_of(kept, TOKENS_AT_ONCE) if kept else []
        measured = (reading for part in parts for reading in sentence_readings(self._model, pack(part)))
        found: list[dict[str, Any] | None] = []
        for place, (row, example) in enumerate(zip(rows, examples, strict=True)):
            if example is None:
                found.append(None)
                continue
            nats, entropy = next(measured)
            loss = bits_per_byte([nats], [example.target_bytes]) if row.completion else None
            found.append({"loss": loss, "entropy": entropy, "text": texts.get(place, "")})
        return found


def disagreement(first: str, second: str) -> float | None:
    """0 for equal texts, 1 for texts that share nothing; None where neither was written."""
    if not first and not second:
        return None
    if first == second:
        return 0.0
    return 1 - (sentence_chrf(first, second) + sentence_chrf(second, first)) / 200


def read_asked(path: Path) -> list[Row]:
    """The rows to read; unlike a release's, they may lack a completion."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
    return [Row(str(row["id"]), row["system"], row["request"], row["completion"]) for row in rows]


def main() -> int:
    """Read the rows; each line is written as soon as it is known."""
    parser = argparse.ArgumentParser(description="How hard sentences are for an adapter, or for two.")
    parser.add_argument("rows", type=Path)
    parser.add_argument("--base", required=True)
    parser.add_argument("--adapter", required=True)
    parser.add_argument("--rival")
    parser.add_argument("--beside-base", action="store_true", help="the rival is the base model, without any adapter")
    parser.add_argument("--write", action="store_true", help="let it answer the rows that have a completion, too")
    given = parser.parse_args()
    folders = {ADAPTER: given.adapter, **({RIVAL: given.rival} if given.rival else {})}
    reader = Reader(given.base, folders, beside_base=given.beside_base)
    rows = iter(read_asked(given.rows))
    while part := list(islice(rows, AT_ONCE)):
        for reading in reader.read(part, write=given.write):
            sys.stdout.write(json.dumps(reading) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
