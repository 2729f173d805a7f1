"""Where what was turned down goes, and that documents stay where they were."""

import random

import pytest

from annotation.answers.models import Answer
from training.releases.services import freeze_release
from training.releases.splits import CannotSplit, SplitRow, assign_splits
from training.runs.withdrawals import withdraw_answer


def test_counter_examples_go_where_their_documents_go_and_fill_no_split():
    rows = [SplitRow(f"{d}{n}", d, (f"p{d}",)) for d in "abc" for n in range(4)]
    bad = [SplitRow(f"bad{n}", "d", ("pd",), is_lesson=False) for n in range(9)]
    splits = assign_splits([*rows, *bad])
    assert {row.id: splits[row.id] for row in rows} == assign_splits(rows)
    assert len({splits[row.id] for row in bad}) == 1
    few = [row for row in rows if row.document != "c"]
    with pytest.raises(Exception, match="2 documents and 2 contributors among 8 sentences"):
        assign_splits([*few, *bad])


def made(draws: random.Random) -> list[SplitRow]:
    """Three to twelve documents of one to nine rows, written by about as many people."""
    people = [f"p{number}" for number in range(draws.randint(3, 14))]
    return [
        SplitRow(
            f"{document}-{number}", f"d{document}", (draws.choice(people[document % 3 :: 3]),), draws.random() < 0.9
        )
        for document in range(draws.randint(3, 12))
        for number in range(draws.randint(1, 9))
    ]


def documents(rows: list[SplitRow], splits: dict[str, str]) -> dict[str, str]:
    return {row.document: splits[row.id] for row in rows if row.id in splits}


def test_what_is_taken_back_or_added_moves_no_other_document():
    tried = 0
    for seed in range(300):
        draws = random.Random(seed)  # noqa: S311
        rows = made(draws)
        try:
            before = documents(rows, assign_splits(rows))
        except CannotSplit:
            continue
        for document in sorted(before):
            kept = [row for row in rows if row.document != document or draws.random() < 0.5]
            there = {row.document for row in kept}
            if {split for name, split in before.items() if name in there} != {"train", "validation", "test"}:
                continue
            try:
                after = documents(kept, assign_splits(kept, before))
            except CannotSplit:
                continue
            assert after.items() <= before.items()
            tried += 1
        fresh = [SplitRow(f"new-{number}", f"new{number % 3}", (f"new{number % 3}",)) for number in range(9)]
        assert before.items() <= documents([*rows, *fresh], assign_splits([*rows, *fresh], before)).items()
    assert tried > 1000


def test_documents_that_were_trained_on_are_held_out_only_where_nothing_else_is():
    rows = [SplitRow(f"{d}{n}", d, (f"p{d}",)) for d in "abcd" for n in range(4)]
    before = {"a": "train", "b": "train", "c": "train", "d": "train"}
    assert sorted(documents(rows, assign_splits(rows, before)).values()) == ["test", "train", "train", "validation"]
    only_held_out = {"a": "test", "b": "test", "c": "validation", "d": "validation"}
    assert documents(rows, assign_splits(rows, only_held_out)) == documents(rows, assign_splits(rows))


def test_who_links_a_held_out_document_to_a_trained_one_brings_it_to_training():
    rows = [SplitRow(f"{d}{n}", d, (f"p{d}",)) for d in "abcdef" for n in range(4)]
    before = documents(rows, assign_splits(rows))
    trained = next(name for name, split in before.items() if split == "train")
    tested = next(name for name, split in before.items() if split == "test")
    both = [*rows, SplitRow("1", trained, ("both",)), SplitRow("2", tested, ("both",))]
    after = documents(both, assign_splits(both, before))
    assert after[tested] == "train"
    assert {name: split for name, split in before.items() if split == "validation"}.items() <= after.items()


@pytest.mark.django_db
def test_a_withdrawal_leaves_every_other_answer_in_its_split(validated_corpus, project, esi, now):
    def frozen() -> dict[str, str]:
        release, is_new = freeze_release(project=project, purpose="train_noncommercial", created_by=esi, now=now)
        assert is_new
        return {str(item.answer_id): item.split for item in release.items.all()}

    first = frozen()
    for split in ("train", "validation", "test"):
        answer = Answer.objects.get(pk=next(name for name, where in first.items() if where == split))
        withdraw_answer(answer=answer, author=answer.author, now=now)
        del first[str(answer.pk)]
        assert frozen() == first
