"""`script/bench augmenting`: do new sentences for a class belong to it?

The bundled model learns to sort sentences of four languages, which are the classes, out of the corpora that the package
`elotl` carries; then `training.recipes.augment label` makes new sentences of each class. Whether these are of their
class is judged by a classifier that neither wrote nor chose them: logistic regression on runs of characters, learnt
from other documents' sentences. `docs/methods.md` says what came of it. Takes a quarter of an hour.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import elotl.corpus
import tomli_w
from rich import box
from rich.table import Table

from annotation.kinds.classify.kind import KIND
from annotation.kinds.contract import Asked, Written
from wordhearth.benches.training import USUAL_RATE, json_of, prepared_base, spread, start

NEEDS_SITE = False

# The Spanish sentences are those of the Otomí corpus.
CORPORA = {"Otomi": "tsunkua", "Nahuatl": "axolotl", "Mixtec": "kolo"}
CLASSES = ("Spanish", *CORPORA)
COUNTS = {"judge": 1000, "train": 40, "test": 12, "validation": 12}
SHORTEST, LONGEST = 25, 110
AT_LEAST = {"preserved": 0.8}

Facts = dict[str, Any]
Sentence = tuple[str, str]


def run() -> Facts:
    """Train, make new sentences, and have them judged."""
    sentences = {split: list(some) for split, some in _split().items()}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        config = _write(folder, sentences)
        start("training.recipes.qlora", str(config))
        report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        made = folder / "made.jsonl"
        counted = json_of("training.recipes.augment", "label", str(config), str(made))
        rows = [json.loads(line) for line in made.read_text(encoding="utf-8").splitlines()]
    return judged(rows, sentences) | {
        "tried": counted["kept"] + sum(counted["dropped"].values()),
        **counted,
        "sorted_right": next(one["adapter"] for one in report["evaluation"]["scores"] if one["name"] == "accuracy"),
    }


def judged(rows: Sequence[Facts], sentences: dict[str, list[Sentence]]) -> Facts:
    """In how many of the new rows the judge sees the class that they were made for; how often it is right of sentences
    that people wrote; and the share of new words' pairs that are not the same as another one (distinct-2)."""
    texts, names = zip(*sentences["judge"], strict=True)
    features = import_module("sklearn.feature_extraction.text").TfidfVectorizer(analyzer="char", ngram_range=(1, 3))
    judge = import_module("sklearn.linear_model").LogisticRegression(max_iter=1000)
    judge.fit(features.fit_transform(texts), names)
    known, right = zip(*sentences["test"], strict=True)
    # The request ends with the sentence.
    new = [row["lesson"]["request"].rsplit("\n", 1)[1] for row in rows]
    wanted = [row["lesson"]["completion"] for row in rows]
    told = judge.predict(features.transform(new)) if new else []
    same = [bool(found == name) for found, name in zip(told, wanted, strict=True)]
    pairs = Counter(pair for text in new for pair in zip(text.split(), text.split()[1:], strict=False))
    by_class = {
        name: {
            "made": wanted.count(name),
            "preserved": sum(one for one, other in zip(same, wanted, strict=True) if other == name),
        }
        for name in CLASSES
    }
    return {
        "preserved": sum(same) / len(same) if same else 0.0,
        "judge_accuracy": float(judge.score(features.transform(known), right)),
        "distinct_2": len(pairs) / pairs.total() if pairs else 0.0,
        "classes": by_class,
    }


def _split() -> dict[str, list[Sentence]]:
    """Sentences with the names of their languages; no document is in two splits. The longest one is the judge's, as are
    those that nobody else needs: it is to know several ways of writing."""
    found: dict[str, list[Sentence]] = {}
    seen = set()
    for name in CLASSES:
        column = 0 if name == "Spanish" else 1
        documents: dict[str, list[str]] = {}
        for row in elotl.corpus.load(CORPORA.get(name, "tsunkua")):
            text = row[column].strip()
            if SHORTEST <= len(text) <= LONGEST and "\n" not in text and text not in seen:
                documents.setdefault(row[-1], []).append(text)
                seen.add(text)
        longest, *others = sorted(documents.values(), key=len, reverse=True)
        of_split = dict(zip(list(COUNTS)[1:], others, strict=False))
        of_split["judge"] = [text for document in (longest, *others[len(of_split) :]) for text in document]
        for split, count in COUNTS.items():
            found.setdefault(split, []).extend((text, name) for text in spread(of_split[split], count))
    return found


def _write(folder: Path, sentences: dict[str, list[Sentence]]) -> Path:
    """A run folder in which sorting is to be learnt; its config.toml."""
    if KIND.lesson is None:
        raise TypeError("Classes teach a lesson.")
    settings = {"labels": [{"name": name, "words": ""} for name in CLASSES], "question": "Which language is this?"}
    paths = {}
    for split in ("train", "validation", "test"):
        lines = []
        for number, (text, name) in enumerate(sentences[split]):
            asked, written = Asked(text=text, settings=settings), Written(payload={"labels": [name]})
            lesson = {
                "system": KIND.lesson.system,
                "request": KIND.lesson.request(asked),
                "completion": KIND.lesson.completion(asked, written),
            }
            lines.append(
                json.dumps({"id": f"{split}-{number}", "kind": "classify", "source": text, "lesson": lesson}) + "\n"
            )
        paths[split] = folder / f"{split}.jsonl"
        paths[split].write_text("".join(lines), encoding="utf-8")
    config = {
        "base": {"path": str(prepared_base())},
        "data": {split: str(path) for split, path in paths.items()},
        "language": {"source_name": "several", "target_name": "labels"},
        "recipe": {"method": "qlora", "epochs": 4, "threads": 1, "learning_rate": USUAL_RATE},
        "mixing": {"replay": 0.0},
        "evaluation": {
            "max_items": len(sentences["test"]),
            "generate_items": len(sentences["test"]),
            "max_new_tokens": 40,
            "shots": 0,
            "memorised": 0,
        },
    }
    path = folder / "config.toml"
    path.write_text(tomli_w.dumps(config), encoding="utf-8")
    return path


def table(facts: Facts) -> Table:
    """Each class, and all."""
    shown = Table("class", "made", "of it", box=box.SIMPLE_HEAD)
    for name, row in facts["classes"].items():
        shown.add_row(name, str(row["made"]), str(row["preserved"]))
    for name, value in facts.items():
        if isinstance(value, int | float):
            shown.add_row(name, f"{value:.3g}", f"≥ {AT_LEAST[name]}" if name in AT_LEAST else "")
    return shown
