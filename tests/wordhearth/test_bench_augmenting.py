"""The bench of new sentences judges them by somebody who has seen neither them nor what they were made of."""

import io

from rich.console import Console

from training.recipes.configuration import Configuration
from training.recipes.text import read_rows
from wordhearth.benches import augmenting


def made(sentences, *, named_right):
    """Rows as `augment` writes them: sentences that the judge never read, under their own class or the next one."""
    names = augmenting.CLASSES
    found = []
    for text, name in sentences["validation"]:
        told = name if named_right else names[(names.index(name) + 1) % len(names)]
        lesson = {"system": "", "request": f"Which language is this?\n{text}", "completion": told}
        found.append({"id": text, "lesson": lesson})
    return found


def test_what_is_of_its_class_is_told_from_what_is_not():
    sentences = augmenting._split()
    right = augmenting.judged(made(sentences, named_right=True), sentences)
    wrong = augmenting.judged(made(sentences, named_right=False), sentences)
    assert right["preserved"] > 0.9
    assert right["judge_accuracy"] > 0.9
    assert wrong["preserved"] < 0.1
    assert sum(row["made"] for row in wrong["classes"].values()) == 48
    assert augmenting.judged([], sentences)["preserved"] == 0.0
    page = io.StringIO()
    Console(file=page, width=120).print(augmenting.table(right))
    assert all(words in page.getvalue() for words in (*augmenting.CLASSES, "≥ 0.8"))


def test_no_sentence_is_in_two_splits_and_the_run_reads_what_was_written(tmp_path, monkeypatch):
    (tmp_path / "model.safetensors").touch()
    monkeypatch.setattr(augmenting, "prepared_base", lambda: tmp_path)
    sentences = augmenting._split()
    texts = [text for some in sentences.values() for text, _ in some]
    assert len(texts) == len(set(texts))
    config = Configuration.read(augmenting._write(tmp_path, sentences), "qlora")
    (first, *_), rows = read_rows(config.data.train), read_rows(config.data.train)
    assert len(rows) == 4 * augmenting.COUNTS["train"]
    assert first.source in first.request
    assert first.completion in augmenting.CLASSES
