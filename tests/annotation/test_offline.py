"""Words written offline under a consent that ended before they arrived: each kept once, apart, and used for nothing."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction

from annotation.answers.findings import Look
from annotation.answers.models import Answer
from annotation.answers.services import release_quarantined, submit_answer
from annotation.projects.models import Project
from annotation.projects.services import lease_packet
from care.models import Policy, Purpose, Receipt
from care.services import give_consent, publish_policy, withdraw_purposes
from care.suspending import suspend
from people.models import Person
from tests.conftest import NOW, TRAINING

pytestmark = pytest.mark.django_db
MEANWHILE, AT_SYNC = NOW + timedelta(hours=1), NOW + timedelta(hours=2)
SYNC: dict[str, Any] = {"now": AT_SYNC, "look": Look(later=True)}


class Meanwhile:
    """What may happen to a consent while its holder is away; each ends some of it, or all."""

    def __init__(self, draw: random.Random, policy: Policy, person: Person, steward: Person) -> None:
        self.draw, self.policy, self.person, self.steward = draw, policy, person, steward

    def some(self) -> None:
        lost = self.draw.sample(TRAINING, self.draw.randrange(1, len(TRAINING)))
        withdraw_purposes(person=self.person, community=self.policy.community, purposes=lost, now=MEANWHILE)

    def all(self) -> None:
        withdraw_purposes(person=self.person, community=self.policy.community, purposes=TRAINING, now=MEANWHILE)

    def fewer(self) -> None:
        self.agree([*TRAINING[:2], self.draw.choice(TRAINING[2:])])

    def material(self, **more: Any) -> None:
        self.policy = publish_policy(
            community=self.policy.community, text="Otherwise than before.", purposes=list(Purpose.values),
            waiver="For tests.", published_by=self.steward, now=MEANWHILE, **more,
        )  # fmt: skip

    def wider(self) -> None:
        self.material(terms={"recipients": ["A university"]})

    def suspended(self) -> None:
        assert self.policy.decision is not None
        suspend(decision=self.policy.decision, suspended_by=self.steward, reason="A reason.", now=MEANWHILE)

    def all_and_anew(self) -> None:
        self.all()
        self.agree(TRAINING)

    def wider_and_anew(self) -> None:
        self.wider()
        self.agree(TRAINING)

    def agree(self, purposes: list[str]) -> None:
        give_consent(person=self.person, policy=self.policy, purposes=purposes, now=MEANWHILE)


HISTORIES = ("some", "all", "fewer", "material", "wider", "suspended", "all_and_anew", "wider_and_anew")


def test_in_200_histories_what_was_written_under_an_ended_consent_is_kept_apart(
    policy: Policy,
    project: Project,
    aroha: Person,
    ben: Person,
    consenting: Callable[..., Receipt],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Fifty packets of four, each synced in an order of its own, some answers twice.

    Decisions, the record and what is noticed in a text, to which the time would go, have tests of their own.
    """
    for name, said in (("require_decision", policy.decision), ("append_entry", None)):
        monkeypatch.setattr(f"care.services.{name}", lambda said=said, **_: said)
    monkeypatch.setattr("care.elections.append_entry", lambda **_: None)
    monkeypatch.setattr("annotation.answers.services.warnings_for", lambda **_: [])
    monkeypatch.setattr("annotation.answers.services.settle_task", lambda *_, **__: None)
    draw = random.Random(15)  # noqa: S311 - a draw that can be repeated
    receipt = consenting(ben)
    packet = lease_packet(project=project, person=ben, size=4, now=NOW)
    seen: Counter[str] = Counter()
    for _ in range(50):
        name = draw.choice(HISTORIES)
        written = [{"assignment": lease, "client_id": uuid4(), "text": f"ñäʼ {draw.random()}"} for lease in packet]
        with transaction.atomic():
            getattr(Meanwhile(draw, policy, ben, aroha), name)()
            for answer in draw.sample(written, 4) + draw.sample(written, draw.randrange(4)):
                submit_answer(author=ben, **answer, **SYNC)
            rows = Answer.objects.values_list("client_id", "text", "state", "receipt")
            assert set(rows) == {(one["client_id"], one["text"], "quarantined", receipt.pk) for one in written}, name
            assert len(rows) == 4
            assert not any(Answer.objects.eligible_for(purpose).exists() for purpose in draw.sample(TRAINING, 2))
            seen[name] += len(rows)
            transaction.set_rollback(True)
    assert seen.total() == 200
    assert min(seen[name] for name in HISTORIES) >= 8


def test_what_is_kept_apart_waits_for_a_consent_after_it_and_the_rest_goes_its_way(
    policy: Policy, project: Project, aroha: Person, ben: Person, consenting: Callable[..., Receipt]
) -> None:
    receipt = consenting(ben)
    first, second, third = lease_packet(project=project, person=ben, size=3, now=NOW)
    meanwhile = Meanwhile(random.Random(1), policy, ben, aroha)  # noqa: S311 - decides nothing here
    meanwhile.material(is_material=False)
    written = {"author": ben, "text": "ñäʼ", **SYNC}
    row = submit_answer(assignment=first, client_id=uuid4(), **written)
    assert (row.state, row.receipt) == ("submitted", receipt)
    meanwhile.all_and_anew()
    kept = submit_answer(assignment=second, client_id=uuid4(), **written)
    assert kept.state == "quarantined"
    newest = give_consent(person=ben, policy=meanwhile.policy, purposes=TRAINING, now=AT_SYNC)
    assert release_quarantined(author=ben, receipt=newest, now=AT_SYNC) == 1
    kept.refresh_from_db()
    assert (kept.state, kept.receipt) == ("submitted", newest)
    # Taken along anew under the new consent, it is given under it.
    fresh = lease_packet(project=project, person=ben, size=4, now=AT_SYNC)[-1]
    assert fresh != third
    assert submit_answer(assignment=fresh, client_id=uuid4(), **written).receipt == newest
