"""What a model unlearnt while it learnt: bits per byte on fixed sentences in other languages, before and after.

Before is the base model, that is the same model with its adapter off; after is with it on. 0 for an adapter that
changes nothing, positive where the model foretells these sentences worse than before.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.evaluation.scores import bits_per_byte, difference_interval

TEXTS = Path(__file__).parent / "texts"
ALWAYS = "en"


@dataclass(frozen=True)
class FixedText:
    """Sentences that are kept for measuring, the language they are in (BCP 47), and the SHA-256 of their file."""

    language: str
    sentences: tuple[str, ...]
    sha256: str


def texts_beside(target_tag: str, contact_tag: str) -> list[FixedText]:
    """English, and the language that the model translates from where we have sentences in it; never the one that it
    learns."""
    learns = target_tag.partition("-")[0]
    wanted = dict.fromkeys([ALWAYS, contact_tag.partition("-")[0]])
    there = {path.stem: path for path in TEXTS.glob("*.txt")}
    return [_read(there[tag]) for tag in wanted if tag in there and tag != learns]


def _read(path: Path) -> FixedText:
    content = path.read_bytes()
    return FixedText(path.stem, tuple(content.decode().splitlines()), hashlib.sha256(content).hexdigest())


def forgotten(
    text: FixedText, before: Sequence[float], after: Sequence[float], tokens: int, *, seed: int = 0
) -> dict[str, Any]:
    """The figures of one text, from each sentence's summed nats and the number of tokens that were foretold.

    `difference` and its 95 % interval are bits per byte, after minus before; `nats_per_token` is the same by token, as
    papers have it.
    """
    sizes = [len(sentence.encode()) for sentence in text.sentences]
    interval = difference_interval(before, after, sizes, seed=seed)
    first, second = bits_per_byte(before, sizes), bits_per_byte(after, sizes)
    return {
        "language": text.language,
        "sha256": text.sha256,
        "sentences": len(sizes),
        "base_bpb": first,
        "adapter_bpb": second,
        "difference": second - first,
        "difference_ci95": [interval.low, interval.high],
        "nats_per_token": (math.fsum(after) - math.fsum(before)) / tokens,
    }
