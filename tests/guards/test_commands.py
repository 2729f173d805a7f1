"""Every command that changes what a community governs writes exactly one entry, which stands or falls with it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import transaction

from annotation.answers.judging import open_judging
from annotation.answers.models import Answer
from annotation.conflicts.services import adjudicate, ask_expert, make_example, reopen
from annotation.corpora.services import import_upload
from annotation.guard.services import freeze_person, spare_person, unfreeze_person
from annotation.projects.guidelines import number_of, write_guidelines
from annotation.projects.models import Project, Task
from annotation.projects.ordering import hand_out_by_document, hand_out_first
from annotation.projects.services import open_project, set_checks, set_project_state, set_review_rule
from annotation.revision.again import ask_for_more
from annotation.revision.batches import Chosen, apply_batch, undo_batch
from annotation.revision.models import Inconsistency
from annotation.revision.services import ask_for_scan, scan_project
from annotation.standing.models import Standing
from care.restricting import lift, place_hold, put_label, suspend_purpose
from care.services import give_consent, publish_policy, withdraw_purposes
from ledger.checkpoints import check_chain
from ledger.models import Entry
from people.fonts import remove_font, set_font
from people.language import save_orthography, save_variety, set_own_words
from people.models import Community
from people.services import (
    accept_invitation,
    end_membership,
    found_community,
    grant_role,
    invite,
    join_open_community,
    show_names_to_experts,
)
from tests.conftest import NOW, TRAINING
from tests.frontend.made import report
from tests.guards.tree import ROOT, shipped_python, shown
from training.lineage.services import end_adapter
from training.releases.models import Release
from training.releases.services import freeze_release
from training.runs.models import Adapter, Run
from training.runs.schedule import set_schedule
from training.runs.services import cancel_run, decide_adapter, end_run, finish_run, queue_run, resume_run
from training.runs.withdrawals import change_consent, withdraw_answer, withdraw_consent

pytest_plugins = ["tests.revision.labelled"]

Act = Callable[[], object]
WRITES = {"create", "bulk_create", "bulk_update", "get_or_create", "update_or_create", "save", "delete"}
NOT_SERVICES = {"models.py", "api.py", "admin.py", "jobs.py", "querysets.py"}
# Writing functions that need no entry of their own: the reason is the key.
WITHOUT_ENTRY = {
    "everyday work, of which each row says who and when, and which is history in Assignment, Answer and AnswerEvent": {
        *("lease_task", "lease_packet", "give_back_packet", "skip_task", "undo_skip", "expire_leases"),
        *("submit_answer", "edit_answer", "appeal", "review_answer", "next_review", "create_answer", "set_state"),
        *("record_event", "settle_task", "discuss", "ask_experts", "add_suggestions", "mark_read"),
    },
    "gold must not be told apart by anybody who reads the record; the Gold row says who and when": {
        *("use_as_gold", "next_gold", "take_back_gold"),
    },
    "part of a command that writes the entry": {
        *("add_tasks", "take_out", "add_version", "release_quarantined", "mark_withdrawn"),
    },
    "estimates from votes, reckoned anew at any time; a stop that follows is entered as person.stopped": {
        *("estimate_skills", "estimate_person", "lock_standing"),
    },
    "points and what only the person sees of the game": {"score_changes", "set_play"},
    "a person's own choice of what work comes to them": {"set_language_profile"},
    "readings and looks over data, whose results change nothing by themselves": {
        *("ask_for_scan", "scan_project", "ask_for_probe", "keep_reading", "cancel_probe", "end_probe"),
    },
    "leases of workers": {"claim_run", "claim_probe", "renew_lease", "give_back_run"},
    "sentences that somebody tried in the playground": {"request_generation", "start_generation", "end_generation"},
    "made of commands that write their own entries": {"check_schedule", "send_back"},
    "what follows from a withdrawal, which has its entry; the stages and the taint say when": {
        *("open_withdrawal", "add_stage", "finish_stage", "trace", "stop_runs_on"),
    },
    "several entries each, one for every chain and one for what was erased of it (tests/care/test_erasure.py)": {
        *("erase_answers", "erase_person", "replay_erasures", "forget_answers", "forget_person"),
    },
    "writes a file in memory, no row": {"subset", "shrink"},
    "a transaction for reading": {"reading_for"},
    "steps of deciding, each of which enters decision.* or delegation.* itself (tests/care/test_deciding.py)": {
        *("open_proposal", "propose", "take_back_proposal", "close_proposal", "keep_time", "appeal", "set_rules"),
        *("vote", "declare_conflict", "judge_conflict", "delegate", "revoke_delegation", "suspend", "give_up"),
        *("decide_alone", "require_decision", "adopt", "step", "store_decision", "record"),
    },
}


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
    return furnished


def people(s: SimpleNamespace) -> dict[str, Act]:
    """Commands of people and care."""
    font = {"content": b"x", "name": "Made up", "licence": "CC0"}
    other = {"slug": "other", "name": "Other", "language_name": "Other", "language_tag": "ote", "script": "Latn"}
    other |= {"iso_639_3": "ote", "glottocode": "mezq1235"}
    opened = Community.objects.get(pk=s.community.pk)
    opened.is_open = True
    secret = invite(**s.who, role="speaker", invited_by=s.aroha)
    variety = {"code": "new", "name": "New", "pk": None}
    return {
        "found_community": partial(found_community, founder=s.dana, now=NOW, **other),
        "grant_role": partial(grant_role, **s.who, person=s.dana, role="speaker", granted_by=s.aroha),
        "end_membership": partial(end_membership, membership=s.membership, ended_by=s.aroha, now=NOW),
        "join_open_community": partial(join_open_community, person=s.dana, community=opened, now=NOW),
        "invite": partial(invite, **s.who, role="speaker", invited_by=s.aroha),
        "accept_invitation": partial(accept_invitation, person=s.dana, secret=secret, now=NOW),
        "put_label": partial(put_label, **s.who, kind="source", key="1", code="tkss", placed_by=s.aroha),
        "place_hold": partial(place_hold, **s.who, kind="item", key="1", note="A reason.", placed_by=s.aroha),
        "suspend_purpose": partial(suspend_purpose, **s.who, purpose="research", note="", placed_by=s.aroha),
        "lift": partial(lift, restriction=s.restriction, lifted_by=s.aroha, now=NOW),
        "show_names_to_experts": partial(show_names_to_experts, **s.who, are_shown=True, changed_by=s.aroha),
        "set_font": partial(set_font, **s.who, set_by=s.aroha, **font),
        "remove_font": partial(remove_font, **s.who, removed_by=s.aroha),
        "save_orthography": partial(
            save_orthography, **s.who, saved_by=s.aroha, name="New", script="Latn", characters="a", pk=None
        ),
        "save_variety": partial(save_variety, **s.who, saved_by=s.aroha, **variety),
        "set_own_words": partial(set_own_words, **s.who, words={"a": "b"}, known={"a"}, set_by=s.aroha),
        "publish_policy": partial(publish_policy, **s.who, text="New.", purposes=TRAINING, published_by=s.aroha),
        "give_consent": partial(give_consent, person=s.dana, policy=s.policy, purposes=TRAINING, now=NOW),
        "withdraw_purposes": partial(withdraw_purposes, **s.who, person=s.ben, purposes=TRAINING),
    }


def annotation(s: SimpleNamespace) -> dict[str, Act]:
    """Commands of annotation but for those of experts."""
    file = {"name": "a.tsv", "content": b"text\nuna", "licence": "CC0", "title": "A", "language_tag": "es"}
    stated = {"title": "A", "source_language_name": "Spanish", "source_language_tag": "es"}
    by, reason = {"project": s.second, "changed_by": s.aroha, "now": NOW}, {**s.who, "reason": "A reason."}
    task = Task.objects.filter(project=s.second, state="open").first()
    done = s.answer.task_id
    return {
        "store_lines": partial(import_upload, **s.who, imported_by=s.aroha, **file),
        "open_project": partial(open_project, **s.who, created_by=s.aroha, sources=[s.source], **stated),
        "open_judging": partial(open_judging, project=s.first, kind="rate", title="A", opened_by=s.aroha, now=NOW),
        "set_review_rule": partial(set_review_rule, **s.who, votes={"concordant": 2}, changed_by=s.aroha),
        "set_project_state": partial(set_project_state, **by, state="closed"),
        "set_checks": partial(set_checks, **by, checks={}),
        "hand_out_first": partial(hand_out_first, **by, urgency={task.pk: 1.5}, control_share=0.2),
        "hand_out_by_document": partial(hand_out_by_document, **by),
        "write_guidelines": partial(
            write_guidelines, project=s.second, text="New.", number=number_of(s.second), written_by=s.aroha, now=NOW
        ),
        "freeze_person": partial(freeze_person, **reason, person=s.ben, frozen_by=s.aroha),
        "unfreeze_person": after(
            partial(freeze_person, **reason, person=s.ben, frozen_by=s.aroha),
            lambda _: unfreeze_person(**reason, person=s.ben, unfrozen_by=s.aroha),
        ),
        "spare_person": after(
            lambda: Standing.objects.filter(person=s.ben).update(is_stopped=True),
            lambda _: spare_person(**reason, person=s.ben, spared_by=s.aroha),
        ),
        "ask_for_more": partial(ask_for_more, tasks=[done], asked_by=s.esi, now=NOW),
    }


def experts(s: SimpleNamespace) -> dict[str, Act]:
    """Commands of experts."""
    decide = partial(adjudicate, answer=s.disputed, expert=s.chen, decision="accept", reason="Right.", now=NOW)
    return {
        "adjudicate": decide,
        "reopen": after(decide, lambda made: reopen(adjudication=made, expert=s.chen, reason="No.", now=NOW)),
        "make_example": after(decide, lambda made: make_example(adjudication=made, expert=s.chen, now=NOW)),
        "ask_expert": partial(ask_expert, answer=s.answer, steward=s.aroha, note="Look.", now=NOW),
        "undo_batch": partial(undo_batch, batch=s.batch, expert=s.chen, now=NOW),
    }


def training(s: SimpleNamespace) -> dict[str, Act]:
    """Commands of training."""
    queue = partial(queue_run, release=s.release, started_by=s.esi, now=NOW)

    def cancelled() -> Run:
        return cancel_run(run=queue(), cancelled_by=s.esi, now=NOW)

    by = {"community": s.community, "person": s.ben, "now": NOW}
    words = Answer.objects.filter(author=s.ben, state="validated").first()
    return {
        "freeze_release": after(
            lambda: Release.objects.update(withdrawn_since=NOW),
            lambda _: freeze_release(project=s.first, purpose="train_noncommercial", created_by=s.esi, now=NOW),
        ),
        "queue_run": queue,
        "cancel_run": after(queue, lambda run: cancel_run(run=run, cancelled_by=s.esi, now=NOW)),
        "resume_run": after(cancelled, lambda run: resume_run(run=run, resumed_by=s.esi, now=NOW)),
        "finish_run": after(queue, lambda run: finish_run(run=run, report=report(), now=NOW)),
        "end_run": after(queue, lambda run: end_run(run=run, state=Run.State.FAILED, now=NOW, failure="Why.")),
        "decide_adapter": partial(
            decide_adapter, adapter=s.adapter, approve=False, decided_by=s.aroha, note="Enough.", now=NOW
        ),
        "set_schedule": partial(
            set_schedule,
            **{"project": s.first, "is_allowed": True, "minimum_new_items": 5, "cadence_hours": 24},
            **{"changed_by": s.aroha, "now": NOW},
        ),
        "end_adapter": after(
            lambda: Adapter.objects.filter(pk=s.adapter.pk).update(withdrawn_since=NOW),
            lambda _: end_adapter(adapter=s.adapter, note="Enough.", ended_by=s.aroha, now=NOW),
        ),
        "withdraw_answer": partial(withdraw_answer, answer=words, author=s.ben, now=NOW),
        "withdraw_consent": partial(withdraw_consent, **by, purposes=TRAINING),
        "change_consent": partial(change_consent, person=s.ben, policy=s.policy, purposes=TRAINING[:2], now=NOW),
    }


class _After:
    """A command that needs another before it, which is not counted."""

    def __init__(self, first: Act, act: Callable[[Any], object]) -> None:
        self.first, self.act = first, act


def after(first: Act, act: Callable[[Any], object]) -> Any:
    """`act` on what `first` made."""
    return _After(first, act)


@pytest.mark.slow
def test_every_command_writes_exactly_one_entry_and_none_when_it_is_rolled_back(s: SimpleNamespace) -> None:
    acts = {**people(s), **annotation(s), **experts(s), **training(s)}
    excused = {name for names in WITHOUT_ENTRY.values() for name in names}
    found = {node.name for _, node in commands()} - {"apply_batch"}  # which needs labels, and is tried below
    assert found - set(acts) - excused == set(), "try these here, or say in WITHOUT_ENTRY why they need no entry"
    assert (set(acts) | excused) - found == set(), "these are gone"
    assert not set(acts) & excused

    written = {name: entries_of(act) for name, act in acts.items()}
    assert {name: actions for name, actions in written.items() if len(actions) != 1} == {}
    assert check_chain(s.community.slug).entries == Entry.objects.count()


def entries_of(act: Any) -> list[str]:
    """Try the command and roll it back; the actions it entered. Errors are among them, so that all are seen at once."""
    before = Entry.objects.count()
    try:
        with transaction.atomic():
            made = act.first() if isinstance(act, _After) else None
            start = Entry.objects.count()
            act.act(made) if isinstance(act, _After) else act()
            written = list(Entry.objects.order_by("pk").values_list("action", flat=True)[start:])
            transaction.set_rollback(True)
    except Exception as error:
        written = ["error", repr(error)]
    # The decision that an act is done under is a command of its own.
    own = [action for action in written if not action.startswith("decision.")]
    return own if Entry.objects.count() == before else [*own, "and it stayed"]


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
