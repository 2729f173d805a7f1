"""Whoever reads answers asks whether they may: by the engine of eligibility, by who looks, or says here why not."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.guards.tree import ROOT, shipped_python

# What asks: for a purpose (`care.eligibility`), or for a person, whose selections ask for the purpose of showing.
ASKING = {
    *("eligible_for", "usable_for", "reading_for", "visible_to"),
    *("adjudicable_by", "reviewable_by", "gold_for", "confirmable_by"),
}
# "path::function", by the reason why it need not ask.
READERS = {
    "one answer's own life: it is locked, settled, counted, replaced, taken back; nothing is shown or used": {
        *("annotation/answers/reviews.py::review_answer", "annotation/answers/reviews.py::_enter_fix"),
        *("annotation/answers/outcomes.py::settle_task", "annotation/answers/outcomes.py::validate_answer"),
        *("annotation/answers/services.py::submit_answer", "annotation/answers/services.py::create_answer"),
        *("annotation/answers/services.py::edit_answer", "annotation/answers/services.py::appeal"),
        *("annotation/answers/services.py::release_quarantined", "annotation/answers/services.py::withdraw_answer"),
        *("annotation/answers/gold.py::use_as_gold", "annotation/answers/judging.py::_take_out"),
        *("annotation/conflicts/services.py::adjudicate", "annotation/conflicts/services.py::_accept"),
        *("annotation/conflicts/services.py::reopen", "annotation/conflicts/services.py::ask_expert"),
        *("annotation/guard/settling.py::_settle_task_anew", "annotation/revision/again.py::ask_experts"),
        *("annotation/revision/batches.py::_locked", "training/runs/withdrawals.py::withdraw_answer"),
    },
    "part of a selection that asks in another function": {
        *("annotation/answers/querysets.py::not_touching", "annotation/conflicts/queue.py::_living"),
        "training/releases/services.py::answers_with_words_of",
    },
    "taking back and erasing: what is found is hidden, marked or deleted": {
        *("training/lineage/services.py::roots_of", "training/lineage/erasing.py::erase_answers"),
        *("training/lineage/erasing.py::_erase_answers", "training/lineage/erasing.py::begin_erasure"),
        *("training/lineage/erasing.py::replay_erasures", "training/lineage/forgetting.py::forget_answers"),
        *("training/lineage/erasing.py::_erase_again", "training/lineage/erasing.py::_erase_some"),
        "training/lineage/erasing.py::_words_left",
    },
    "one's own words": {
        *("training/lineage/about.py::answers", "frontend/me/erasing.py::_page"),
        *("training/lineage/giving.py::_given", "training/lineage/giving.py::erasable"),
        *("training/runs/api.py::post", "frontend/speaker/queries.py::my_numbers"),
        "frontend/speaker/queries.py::reach_of_answer",
    },
    "what somebody reported: a steward must read it, and its own hold hides it from everybody else": {
        *("frontend/public/reporting.py::_answer_of", "frontend/steward/views/reports.py::about"),
    },
    "numbers, letters and points, no words": {
        *("annotation/rewards/services.py::score_changes", "annotation/rewards/services.py::standing_of"),
        *("annotation/conflicts/names.py::letters_of", "frontend/expert/views/consistency.py::numbers_of"),
        *("frontend/public/queries.py::community_numbers", "frontend/public/transparency.py::written"),
        *("frontend/public/transparency.py::months", "frontend/public/transparency.py::taken_back"),
    },
}
SELECTING = {"all", "filter", "exclude", "order_by", "values", "values_list", "select_related", "get", "first"}


def reads(function: ast.AST) -> bool:
    """Whether it begins a selection of answers: from the table, or from what has answers."""
    for node in ast.walk(function):
        if not isinstance(node, ast.Attribute):
            continue
        if node.attr == "objects" and isinstance(node.value, ast.Name) and node.value.id == "Answer":
            return True
        if isinstance(node.value, ast.Attribute) and node.value.attr == "answers" and node.attr in SELECTING:
            return True
    return False


def readers() -> Iterator[tuple[str, bool]]:
    """Each function that reads answers, and whether it asks."""
    rooms = [ROOT / name for name in ("platform", "annotation", "training", "frontend")]
    for path in shipped_python():
        if not any(room in path.parents for room in rooms) or {"migrations", "wordhearth"} & set(path.parts):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and reads(node):
                names = {one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute)}
                names |= {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
                # A selection that is named in ASKING is the asking itself.
                yield f"{_shown(path)}::{node.name}", bool((names | {node.name}) & ASKING)


def _shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_every_reader_of_answers_asks_or_says_why_not():
    found = dict(readers())
    excused = {name for names in READERS.values() for name in names}
    assert {name for name, asks in found.items() if not asks} - excused == set(), "ask, or say in READERS why not"
    assert excused - set(found) == set(), "nobody reads there any more"
    assert not {name for name in excused if found.get(name)}, "it asks now: its excuse goes"
