"""Which scores fit which kind of task. A kind without scores of its own is measured by chrF++."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.metrics.ter import TER
from sacrebleu.tokenizers import tokenizer_spm

from training.evaluation.paired import Measure, compare_texts
from training.evaluation.scores import FloatArray
from training.evaluation.simplification import readability, sari

CHRF_NAME = "chrF++"
SPM = "flores200"


def compare_on_task(
    kind: str, sources: Sequence[str], references: Sequence[str], base: Sequence[str], adapter: Sequence[str]
) -> dict[str, Any]:
    """What a report says of texts that base model and adapter wrote: `scores`, the first of them the main one, and for
    simplification `readability` of all four."""
    if not references:
        return {"scores": []}
    measures = MEASURES.get(kind, _of_words)(sources, references)
    found: dict[str, Any] = {"scores": [compare_texts(measure, base, adapter) for measure in measures]}
    if kind == "simplify":
        texts = {"source": sources, "reference": references, "base": base, "adapter": adapter}
        found["readability"] = {name: readability(those) for name, those in texts.items()}
    return found


def chrf_measure(references: Sequence[str]) -> Measure:
    """chrF++ (Popović 2017): character 6-grams and word bigrams."""
    return _sacrebleu(CHRF_NAME, CHRF(word_order=2), references)


def bleu_measure(references: Sequence[str]) -> Measure:
    """BLEU (Papineni et al. 2002) with sacrebleu's 13a tokens."""
    return _sacrebleu("BLEU", BLEU(), references)


def spm_file() -> Path:
    """Where sacrebleu looks for the pieces of spBLEU: in $SACREBLEU, else ~/.sacrebleu, under models."""
    name = os.path.basename(tokenizer_spm.SPM_MODELS[SPM]["url"])
    return Path(tokenizer_spm.SACREBLEU_DIR) / "models" / name  # type: ignore[attr-defined]


def spbleu_measures(references: Sequence[str]) -> list[Measure]:
    """spBLEU: BLEU of the pieces of FLORES-200 (Goyal et al. 2022; NLLB team 2022), which serves scripts that put no
    spaces between words; none where the file of pieces is not here. The signature names the file by its hash."""
    file = spm_file()
    # Asked first, for sacrebleu fetches a file that is not there, and nothing here asks the network.
    if not file.is_file() or find_spec("sentencepiece") is None:
        return []
    try:
        measure = _sacrebleu("spBLEU", BLEU(tokenize=SPM), references)
    except (RuntimeError, OSError) as error:
        # A damaged file must not cost the run, which is trained by now.
        warnings.warn(f"No spBLEU: {file} cannot be read: {error}", stacklevel=2)
        return []
    pieces = hashlib.sha256(file.read_bytes()).hexdigest()
    return [replace(measure, signature=f"{measure.signature}|spm:{pieces[:12]}")]


def ter_measure(references: Sequence[str]) -> Measure:
    """Translation edit rate (Snover et al. 2006); lower is better."""
    return _sacrebleu("TER", TER(), references, higher_is_better=False)


def sari_measure(sources: Sequence[str], references: Sequence[str]) -> Measure:
    """Mean SARI; whoever else simplified the same sentence is a reference, too."""
    by_source: dict[str, list[str]] = {}
    for source, reference in zip(sources, references, strict=True):
        by_source.setdefault(source, []).append(reference)

    def statistics(texts: Sequence[str]) -> FloatArray:
        rows = [[sari(source, said, by_source[source]), 1.0] for source, said in zip(sources, texts, strict=True)]
        return np.array(rows)

    return Measure("SARI", statistics, _ratio)


def accuracy_measure(references: Sequence[str]) -> Measure:
    """How many of 100 answers are exactly the labels that people agreed on, in any order and case."""

    def statistics(texts: Sequence[str]) -> FloatArray:
        rows = [[_labels(said) == _labels(right), 0.01] for said, right in zip(texts, references, strict=True)]
        return np.array(rows, dtype=np.float64)

    return Measure("accuracy", statistics, _ratio)


def span_measure(references: Sequence[str]) -> Measure:
    """Exact F1 of marked words with their labels, in percent, over all sentences.

    Lessons write a mark as "LABEL: words" on a line; the second mark on the same words is one of its own.
    """

    def statistics(texts: Sequence[str]) -> FloatArray:
        rows = []
        for said, right in zip(texts, references, strict=True):
            one, two = _marks(said), _marks(right)
            rows.append([(one & two).total(), one.total(), two.total()])
        return np.array(rows, dtype=np.float64)

    return Measure("span F1", statistics, _f1)


def _sacrebleu(name: str, metric: Any, references: Sequence[str], *, higher_is_better: bool = True) -> Measure:
    wanted = [list(references)]

    def statistics(texts: Sequence[str]) -> FloatArray:
        return np.array(metric._extract_corpus_statistics(list(texts), wanted), dtype=np.float64)

    def score(sums: FloatArray) -> float:
        return float(metric._compute_score_from_stats(sums).score)

    metric.corpus_score(list(references), wanted)  # after which its signature knows the number of references
    return Measure(name, statistics, score, higher_is_better, str(metric.get_signature()))


def _ratio(sums: FloatArray) -> float:
    return float(sums[0] / sums[1])


def _f1(sums: FloatArray) -> float:
    hits, said, there = sums
    # Where nothing is to be marked and nothing was, all is right.
    return float(200 * hits / (said + there)) if said + there else 100.0


def _labels(text: str) -> set[str]:
    return {part.strip().casefold() for part in text.split(",") if part.strip()}


def _marks(text: str) -> Counter[tuple[str, str]]:
    lines = (line.partition(":") for line in text.splitlines())
    return Counter((label.strip(), words.strip()) for label, colon, words in lines if colon and words.strip())


def _of_words(sources: Sequence[str], references: Sequence[str]) -> list[Measure]:
    return [chrf_measure(references)]


MEASURES: dict[str, Callable[[Sequence[str], Sequence[str]], list[Measure]]] = {
    "translate": lambda sources, references: [
        chrf_measure(references),
        bleu_measure(references),
        *spbleu_measures(references),
        ter_measure(references),
    ],
    "simplify": lambda sources, references: [chrf_measure(references), sari_measure(sources, references)],
    "classify": lambda sources, references: [accuracy_measure(references)],
    "label": lambda sources, references: [span_measure(references)],
}
