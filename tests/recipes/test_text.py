"""The loss falls on completions only, and the order depends on the rows alone."""

import json

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from training.evaluation.likelihood import completion_losses
from training.recipes.configuration import ConfigurationError, Recipe
from training.recipes.text import Example, Row, batches_of, collate, encode, ordered, parts_of, read_rows


def example(name, length=5):
    return Example(name, tuple(range(2, 2 + length)), 2, length)


def test_labels_cover_the_completion_and_the_end_mark_only(tiny_base):
    tokenizer = AutoTokenizer.from_pretrained(tiny_base)
    made = encode(tokenizer, Row("1", "s", "uno", "ñu"), max_length=200)
    batch = collate([made], tokenizer.pad_token_id)
    labels = batch["labels"][0][batch["labels"][0] != -100]
    assert tokenizer.decode(labels) == "ñu</s>"
    assert made.target_bytes == 3


def test_padding_changes_no_loss(tiny_base):
    model = AutoModelForCausalLM.from_pretrained(tiny_base).eval()
    short, long = example("a", 5), example("b", 30)
    with torch.no_grad():
        alone = completion_losses(model, collate([short], 1))
        together = completion_losses(model, collate([short, long], 1))[: len(alone)]
        batch = collate([long], 1)
        library = model(**batch).loss
        ours = completion_losses(model, batch).mean()
    assert torch.allclose(alone, together, atol=1e-5)
    assert torch.allclose(library, ours, atol=1e-5)


def test_a_row_that_is_too_long_is_left_out(tiny_base):
    tokenizer = AutoTokenizer.from_pretrained(tiny_base)
    assert encode(tokenizer, Row("1", "s", "u" * 300, "x"), max_length=256) is None


def test_removing_rows_keeps_the_order_of_the_others():
    rows = [example(str(n)) for n in range(50)]
    whole = [row.id for row in ordered(rows, seed=3, epoch=1)]
    fewer = [row.id for row in ordered([row for row in rows[::-1] if int(row.id) % 3], seed=3, epoch=1)]
    assert fewer == [name for name in whole if int(name) % 3]
    assert whole != [row.id for row in ordered(rows, seed=3, epoch=2)]


def test_rows_with_unusual_line_separators_stay_whole(tmp_path):
    path = tmp_path / "rows.jsonl"
    text = "one\u2028two\u0085three"
    path.write_text(
        json.dumps(
            {"id": 1, "lesson": dict(zip(("system", "request", "completion"), (text,) * 3, strict=False))},
            ensure_ascii=False,
        )
        + "\n\n",
        "utf-8",
    )
    assert read_rows(path) == [Row("1", text, text, text)]


def test_parts_lose_no_row_and_keep_to_their_size():
    rows = [example(str(n), 3 + n % 17) for n in range(23)]
    parts = parts_of([*rows, example("long", 200)], 60)
    assert sorted(row.id for part in parts for row in part) == sorted([*(row.id for row in rows), "long"])
    assert all(len(part) == 1 or max(len(row.tokens) for row in part) * len(part) <= 60 for part in parts)
    assert len(parts_of(rows, 10_000)) == 1


def test_batches_lose_no_row_and_hold_like_lengths():
    rows = [example(str(n), 3 + n % 17) for n in range(101)]
    batches = batches_of(rows, 8)
    assert sorted(row.id for batch in batches for row in batch) == sorted(row.id for row in rows)
    padded = sum(max(len(row.tokens) for row in batch) * len(batch) for batch in batches)
    assert padded < 1.2 * sum(len(row.tokens) for row in rows)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"recipe": {"rnak": 4}}, "unknown setting rnak"),
        ({"recipe": {"rank": 0}}, "recipe.rank must be from 1 to 256"),
        ({"recipe": {"rank": "4"}}, "must be a whole number"),
        ({"recipe": {"rank": 4.5}}, "must be a whole number"),
        ({"recipe": {"learning_rate": float("nan")}}, "must be from"),
        ({"recipe": {"rank": float("inf")}}, "must be a whole number"),
        ({"recipe": {"epochs": True}}, "must be a whole number"),
        ({"recipe": 3}, "not a table"),
        ({"secret": {}}, "unknown setting secret"),
    ],
)
def test_wrong_settings_are_named(given, message):
    with pytest.raises(ConfigurationError, match=message):
        Recipe.from_mapping(given)
