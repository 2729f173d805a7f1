"""Every command that changes what a community governs writes exactly one entry, which stands or falls with it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import transaction

from annotation.projects.models import Project
from annotation.revision.batches import Chosen, apply_batch
from annotation.revision.models import Inconsistency
from annotation.revision.services import ask_for_scan, scan_project
from care.renderings import keep_draft, write_rendering
from ledger.checkpoints import check_chain
from ledger.models import Entry
from tests.conftest import NOW, TRAINING
from tests.guards.acts import After, access, annotation, experts, people, promises, responsibility
from tests.guards.acts_of_deciding import closed_at_once, deciding
from tests.guards.acts_of_training import elsewhere, learning_beside, training, using
from tests.guards.tree import ROOT, shipped_python, shown

pytest_plugins = ["tests.revision.labelled"]

WRITES = {"create", "bulk_create", "bulk_update", "get_or_create", "update_or_create", "save", "delete"}
NOT_SERVICES = {"models.py", "api.py", "admin.py", "jobs.py", "querysets.py"}
# Writing functions that need no entry of their own: the reason is the key.
WITHOUT_ENTRY = {
    "everyday work, of which each row says who and when, and which is history in Assignment, Answer and AnswerEvent": {
        *("lease_task", "lease_packet", "give_back_packet", "skip_task", "undo_skip", "expire_leases"),
        *("submit_answer", "edit_answer", "answers.appeal", "review_answer", "next_review", "create_answer"),
        *("set_state", "record_event", "settle_task", "conflicts.discuss", "ask_experts", "add_suggestions"),
        "mark_read",
    },
    "gold must not be told apart by anybody who reads the record; the Gold row says who and when": {
        *("use_as_gold", "next_gold", "take_back_gold"),
    },
    "part of a command that writes the entry": {
        *("add_tasks", "take_out", "add_version", "release_quarantined", "mark_withdrawn"),
        *("open_about", "forget_texts", "queue_notices", "settle_age", "hold_at_once", "tell_stewards", "keep_rest"),
        *("answers.withdraw_answer", "ask_worker", "write_receipt"),
    },
    "estimates from votes, reckoned anew at any time; a stop that follows is entered as person.stopped": {
        *("estimate_skills", "estimate_person", "lock_standing"),
    },
    "points and what only the person sees of the game": {"score_changes", "set_play"},
    "taking a notice off the desk; the row says who and when": {"read_notice"},
    "a person's own choice of what work comes to them": {"set_language_profile"},
    "readings and looks over data, whose results change nothing by themselves": {
        *("ask_for_scan", "scan_project", "ask_for_probe", "keep_reading", "cancel_probe", "end_probe"),
        *("leaks_of", "compare_with_service", "ask_for_bias", "ask_for_intruders", "ask_for_reading", "keep_finding"),
        *("give_up_reading", "forget_intruders"),
    },
    "leases of workers": {
        *("claim_run", "claim_probe", "claim_reading", "claim_export", "mining.renew_lease", "runs.renew_lease"),
        *("exports.renew_lease", "give_back_run", "ask_to_stop", "claim_rows", "renew_rows"),
    },
    "the row of a run, which queue_run and start_grid enter": {"store_run"},
    "a file that was asked for, which has its entry, as has each download; it goes with its adapter": {
        *("finish_export", "forget_exports"),
    },
    "sentences that somebody tried in the playground": {
        *("request_generation", "start_generation", "end_generation"),
        *("request_explanation", "start_explanation", "note_progress", "end_explanation"),
    },
    "made of commands that write their own entries": {
        *("check_schedule", "send_back", "read_hub", "take_over", "keep_agreements"),
    },
    "a request that its applicant is still writing; what is sent is entered with the hash of its terms": {"save_terms"},
    "what follows from a withdrawal, which has its entry; the stages and the taint say when": {
        *("open_withdrawal", "add_stage", "finish_stage", "trace", "stop_runs_on"),
    },
    "several entries each, one for every chain and one for what was erased of it (tests/care/test_erasure.py)": {
        *("erase_answers", "erase_person", "begin_erasure", "replay_erasures", "forget_answers", "forget_person"),
    },
    "what a lost worker leaves of a sentence in the playground": {"end_stuck"},
    "writes a file in memory, no row": {"subset", "shrink"},
    "a transaction for reading": {"reading_for"},
    "a step inside commands of deciding and of agreements; `record` writes their entries": {
        *("adopt", "step", "store_decision", "record", "take", "note", "approve", "owe_answer"),
    },
}


# Commands that enter two things, the first of which is about the decision behind the second.
SEVERAL = {
    **{
        name: ["decision.decided_alone", entered]
        for name, entered in {
            "ask_for_export": "adapter.export_asked",
            "download_export": "adapter.exported",
            "lift": "restriction.lifted",
            "open_judging": "project.opened",
            "open_project": "project.opened",
            "publish_policy": "policy.published",
            "set_bounds": "gate.set",
            "set_schedule": "schedule.set",
        }.items()
    },
    "decide_adapter": ["decision.given_up", "adapter.retired"],
    "revoke_access": ["decision.given_up", "agreement.revoked"],
    "suspend_access": ["decision.suspended", "agreement.suspended"],
}


def names() -> set[str]:
    """Of all commands; with their room where several rooms have one of that name."""
    rooms: dict[str, set[str]] = {}
    for path, node in commands():
        rooms.setdefault(node.name, set()).add(path.parent.name)
    return {name if len(found) == 1 else f"{room}.{name}" for name, found in rooms.items() for room in found}


def commands() -> Iterator[tuple[Path, ast.FunctionDef]]:
    """Public functions of the rooms below the desks that write rows or open a transaction."""
    rooms = [ROOT / "platform" / "people", ROOT / "platform" / "care", ROOT / "annotation", ROOT / "training"]
    for path in shipped_python():
        if not any(room in path.parents for room in rooms) or path.name in NOT_SERVICES:
            continue
        text = path.read_text(encoding="utf-8")
        if {"models", "kinds", "migrations"} & set(path.parts) or ".models import" not in text:
            continue
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and writes(node):
                yield path, node


def writes(function: ast.FunctionDef) -> bool:
    """Whether it is a transaction, or calls what changes rows."""
    if "transaction.atomic" in ast.unparse(function):
        return True
    calls = [node for node in ast.walk(function) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    # Rows are updated by name (`update(state=...)`); dictionaries and hashes by position.
    return any(call.func.attr in WRITES or (call.func.attr == "update" and call.keywords) for call in calls)  # type: ignore[attr-defined]


@pytest.fixture
def s(furnished: SimpleNamespace, monkeypatch: Any, request: Any) -> SimpleNamespace:
    """Everybody and everything that the commands are about."""
    monkeypatch.setattr("people.fonts.subset", lambda content, script: content)
    for name in ("aroha", "ben", "filipa", "chen", "esi", "dana"):
        setattr(furnished, name, request.getfixturevalue(name))
    furnished.first, furnished.second = furnished.answer.task.project, furnished.project
    furnished.who = {"community": furnished.community, "now": NOW}
    draft = keep_draft(**furnished.who, text="Next.", purposes=TRAINING, kept_by=furnished.aroha)
    furnished.rendered = {"text_sha256": draft.text_sha256, "language": "ote", "text": "ñä"}
    furnished.rendering = write_rendering(**furnished.who, **furnished.rendered, written_by=furnished.aroha)
    return furnished


@pytest.mark.slow
def test_every_command_writes_exactly_one_entry_and_none_when_it_is_rolled_back(s: SimpleNamespace) -> None:
    acts = {**people(s), **responsibility(s), **annotation(s), **experts(s)}
    acts |= {**access(s), **promises(s), **training(s), **elsewhere(s), **using(s), **learning_beside(s)}
    acts |= deciding(s)
    excused = {name for names in WITHOUT_ENTRY.values() for name in names}
    found = names() - {"apply_batch"}  # which needs labels, and is tried below
    assert found - set(acts) - excused == set(), "try these here, or say in WITHOUT_ENTRY why they need no entry"
    assert (set(acts) | excused) - found == set(), "these are gone"
    assert not set(acts) & excused

    written = {name: entries_of(act) for name, act in acts.items()}
    several = {name: actions for name, actions in written.items() if len(actions) != 1}
    assert several == SEVERAL
    assert entries_of(closed_at_once(s)) == ["decision.closed", "decision.in_force"]
    assert check_chain(s.community.slug).entries == Entry.objects.count()


def entries_of(act: Any) -> list[str]:
    """Try the command and roll it back; the actions it entered. Errors are among them, so that all are seen at once."""
    before = Entry.objects.count()
    try:
        with transaction.atomic():
            made = act.first() if isinstance(act, After) else None
            start = Entry.objects.count()
            act.act(made) if isinstance(act, After) else act()
            written = list(Entry.objects.order_by("pk").values_list("action", flat=True)[start:])
            transaction.set_rollback(True)
    except Exception as error:
        written = ["error", repr(error)]
    return written if Entry.objects.count() == before else [*written, "and it stayed"]


def test_labels_changed_together_are_one_entry(labelling: Project, labelled: Any, chen: Any) -> None:
    scan_project(scan=ask_for_scan(project=labelling, expert=chen, now=NOW), now=NOW)
    group = Inconsistency.objects.get(project=labelling, surface="texto")
    place = next(one for one in group.places if one["answer"] == str(labelled[10].pk))
    chosen = [Chosen(labelled[10].pk, 1, place["start"], place["end"])]
    act = partial(apply_batch, group=group, expert=chen, label="LOC", chosen=chosen, reason="A place.", now=NOW)
    assert entries_of(act) == ["labels.changed_together"]


def test_whatever_writes_an_entry_is_one_transaction(db: None) -> None:
    """A function that appends an entry, or hands on to one that does, is atomic, or private to one that is."""
    loose = [
        f"{shown(path)}: {node.name}"
        for path, node in commands()
        if "append_entry(" in ast.unparse(node)
        and not any(ast.unparse(one) == "transaction.atomic" for one in node.decorator_list)
        and node.name not in WITHOUT_ENTRY["part of a command that writes the entry"]
    ]
    assert not loose


def test_every_reason_is_for_somebody() -> None:
    assert all(names and len(reason.split()) > 2 for reason, names in WITHOUT_ENTRY.items())
