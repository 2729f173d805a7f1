"""Held-out copies of training sentences are withheld when a release is frozen, and the manifest names the pair."""

from __future__ import annotations

import json
from typing import Any

import pytest

from annotation.answers.models import Answer
from tests.frontend.made import make_release
from training.releases.leaks import leaks_in_files
from training.releases.services import NothingToRelease, folder_of, leaks_of, verify_release

pytestmark = pytest.mark.django_db
WORDS = "ra ngu ra xita mi hñuni nuwa ñ'e̱he̱ ra dehe xa ts'e̱ ya ho̱ga"


def retell(answers: list[Answer]) -> None:
    """Let these answers say nearly the same, one word apart."""
    for place, answer in enumerate(answers):
        Answer.objects.filter(pk=answer.pk).update(text=f"{WORDS} {'mi' * place}".strip())


def test_a_copy_is_withheld_and_named_with_what_it_copies(
    validated_corpus: list[Answer], project: Any, esi: Any
) -> None:
    clean = make_release(project, esi)
    splits = dict(clean.items.values_list("answer", "split"))
    held = next(answer for answer in validated_corpus if splits[answer.pk] == "test")
    trained = next(answer for answer in validated_corpus if splits[answer.pk] == "train")
    assert "withheld_as_copies" not in json.loads((folder_of(clean) / "manifest.json").read_text())

    retell([trained, held])
    release = make_release(project, esi)
    manifest = json.loads((folder_of(release) / "manifest.json").read_text())
    (leak,) = manifest["withheld_as_copies"]
    assert (leak["id"], leak["like"], leak["side"]) == (str(held.pk), str(trained.pk), "answer")
    assert not release.items.filter(answer=held).exists()
    assert release.items.filter(answer=trained).exists()
    assert manifest["counts"]["withheld_to_prevent_leaks"] == 1
    assert "the manifest names the pairs" in (folder_of(release) / "README.md").read_text()
    assert (leaks_of(release), leaks_in_files(folder_of(release), project.task_kind)) == ([], [])
    assert verify_release(release) == []


def test_where_only_copies_are_left_to_test_with_nothing_is_frozen(
    validated_corpus: list[Answer], project: Any, esi: Any
) -> None:
    retell(validated_corpus)
    with pytest.raises(NothingToRelease, match="Nothing is left to test with: 8 held-out sentences"):
        make_release(project, esi)
