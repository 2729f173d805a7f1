"""What was withdrawn is on no page, in no list, in no file and in no job's work, from the next request on."""

from __future__ import annotations

import io
import zipfile
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth import SESSION_KEY
from django.test import Client

from annotation.answers.models import Answer
from care.models import Purpose
from people.models import Person, Role
from people.services import grant_role
from tests.conftest import NOW
from tests.guards.addresses import addresses, send
from training.mining.models import Probe, Reading
from training.mining.services import ask_for_probe
from training.playground.services import machine_texts
from training.releases.services import draft_release
from training.runs.withdrawals import withdraw_answer

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
LEAST = 20


def said(response: Any) -> bytes:
    """All that an answer holds, an archive's files too."""
    content: bytes = b"".join(response.streaming_content) if response.streaming else response.content
    if response.get("Content-Type") == "application/zip":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return b"\n".join(archive.read(name) for name in archive.namelist())
    return content


def read(client: Client, rows: SimpleNamespace, person: Person | None, words: str) -> tuple[int, set[str]]:
    """How many addresses could be read, and which of them showed the words, in letters or as JSON escapes them."""
    client.raise_request_exception = False
    needles = {words.encode(), words.encode("unicode_escape")}
    readable, shown = 0, set()
    client.logout()
    if person:
        client.force_login(person)
    for address in addresses():
        if not address.is_ours or "get" not in address.methods:
            continue
        response = send(client, "get", address.filled(rows.arguments), {})
        readable += response.status_code == 200
        told = said(response)
        if any(needle in told for needle in needles):
            shown.add(address.name)
    assert bool(person) == (SESSION_KEY in client.session), "the walk signed somebody in or out"
    return readable, shown


def test_a_withdrawn_answer_is_on_none_of_the_read_paths(
    client: Client, furnished: SimpleNamespace, aroha: Person
) -> None:
    for role in Role.values:
        grant_role(person=aroha, community=furnished.community, role=role, granted_by=aroha, now=NOW)
    answer = furnished.answer
    words, project = answer.text, answer.task.project
    # Where an address needs a project, it is the one with the words.
    for name in ("projects", "guidelines", "agreement", "suspects", "order", "review", "work", "next-review"):
        furnished.arguments[name] = project.pk
    readable, before = read(client, furnished, aroha, words)
    assert readable >= LEAST
    assert len(before) >= 5, before

    withdraw_answer(answer=answer, author=answer.author, now=NOW)

    for person in (aroha, None):
        assert read(client, furnished, person, words)[1] == set()
    # And what jobs read: the next release, what models are measured on, what checks compare with.
    for purpose in Purpose.values:
        assert not Answer.objects.filter(pk=answer.pk).eligible_for(purpose).exists()
    assert words not in str(draft_release(project=project, purpose=Purpose.TRAIN_NONCOMMERCIAL).rows)
    assert words not in machine_texts(project, answer.task.item.text)
    Probe.objects.all().delete()
    furnished.adapter.withdrawn_since = None
    probe = ask_for_probe(adapter=furnished.adapter, of="answers", asked_by=aroha, now=NOW)
    assert not Reading.objects.filter(probe=probe, answer=answer).exists()
