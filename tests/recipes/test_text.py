"""The loss falls on completions only, packed rows do not see each other, and the order depends on the rows alone."""

import json

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from training.evaluation.likelihood import completion_loss
from training.recipes.configuration import ConfigurationError, Recipe
from training.recipes.text import Example, Row, batches_of, encode, ordered, pack, parts_of, read_rows


def example(name, length=5):
    return Example(name, tuple(range(2, 2 + length)), 2, length)


def test_labels_cover_the_completion_and_the_end_mark_only(tiny_base):
    tokenizer = AutoTokenizer.from_pretrained(tiny_base)
    made = encode(tokenizer, Row("1", "s", "uno", "ñu"), max_length=200)
    batch = pack([made])
    labels = batch["labels"][0][batch["labels"][0] != -100]
    assert tokenizer.decode(labels) == "ñu</s>"
    assert made.target_bytes == 3


@pytest.fixture
def model(tiny_base):
    """In eval mode, where a cache is the library's default."""
    return AutoModelForCausalLM.from_pretrained(tiny_base).eval()


DOCUMENTS = [
    Example(str(n), tuple((7 * n + 3 * t) % 250 for t in range(size)), 2, size) for n, size in enumerate((5, 30, 1, 17))
]


@torch.no_grad()
def token_losses(model, batch, **more):
    logits = model(**{"input_ids": batch["input_ids"], "position_ids": batch["position_ids"], **more}).logits[0, :-1]
    return torch.nn.functional.cross_entropy(logits, batch["input_ids"][0, 1:], reduction="none")


def most_difference(model, **more):
    """Between each token's loss in a packed row and alone, the first tokens of documents left out."""
    packed = token_losses(model, pack(DOCUMENTS), **more)
    alone = [token_losses(model, pack([document]), use_cache=False) for document in DOCUMENTS]
    starts = torch.tensor([len(document.tokens) for document in DOCUMENTS]).cumsum(0)[:-1]
    inside = torch.ones(len(packed), dtype=torch.bool)
    inside[starts - 1] = False
    return float((packed[inside] - torch.cat(alone)).abs().max())


def test_packed_rows_do_not_see_each_other(model):
    assert most_difference(model, attention_mask=None, use_cache=False) <= 1e-5


@pytest.mark.parametrize(
    "wrong",
    [
        {"attention_mask": torch.ones(1, 53, dtype=torch.long), "use_cache": False},
        {"attention_mask": None, "use_cache": True},
        {"attention_mask": None, "use_cache": False, "position_ids": torch.arange(53)[None]},
    ],
    ids=["a mask of ones", "a cache", "positions that go on"],
)
def test_without_one_of_the_three_conditions_they_do(model, wrong):
    assert most_difference(model, **wrong) > 1e-3


def test_our_loss_of_packed_rows_is_the_library_s_of_each_alone(model):
    documents = [document for document in DOCUMENTS if len(document.tokens) > 2]
    with torch.no_grad():
        ours = float(completion_loss(model, pack(documents)))
        theirs = sum(
            float(model(input_ids=alone["input_ids"], labels=alone["labels"]).loss) * (len(document.tokens) - 2)
            for document in documents
            for alone in [pack([document])]
        )
    assert ours == pytest.approx(theirs, rel=1e-6)


def test_a_packed_row_has_no_padding_and_no_label_across_documents():
    batch = pack([Example("a", (5, 6, 7), 2, 1), Example("b", (8, 9), 0, 1)])
    assert batch["input_ids"].tolist() == [[5, 6, 7, 8, 9]]
    assert batch["position_ids"].tolist() == [[0, 1, 2, 0, 1]]
    assert batch["labels"].tolist() == [[-100, -100, 7, -100, 9]]
    assert batch["rows"].tolist() == [[0, 0, 0, 1, 1]]


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


def test_parts_keep_all_rows_in_their_order_and_to_their_size():
    rows = [*(example(str(n), 3 + n % 17) for n in range(23)), example("long", 200), example("last", 3)]
    parts = parts_of(rows, 60)
    assert [row for part in parts for row in part] == rows
    assert all(len(part) == 1 or sum(len(row.tokens) for row in part) <= 60 for part in parts)
    assert len(parts_of(rows, 10_000)) == 1


def test_batches_follow_the_order_whatever_the_lengths_and_rows_removed_reshuffle_nothing():
    rows = [example(str(n), 3 + n * 5 % 17) for n in range(101)]
    order = ordered(rows, seed=3, epoch=0)
    batches = batches_of(order, 8)
    assert [row for batch in batches for row in batch] == order
    assert {len(batch) for batch in batches} == {8, 5}
    fewer = batches_of(ordered([row for row in rows if int(row.id) % 3], seed=3, epoch=0), 8)
    assert [row for batch in fewer for row in batch] == [row for row in order if int(row.id) % 3]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"recipe": {"rnak": 4}}, "unknown setting rnak"),
        ({"recipe": {"method": "magic"}}, "Choose a method: qlora, lora"),
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
