"""What a changed text does to what people agreed to, and the receipts that they keep."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from copy import copy
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from django.db import transaction
from django.test import Client

from annotation.answers.models import Answer
from care.labels import EVERYTHING, OUTSIDE
from care.models import Grant, Purpose, Receipt
from care.purposes import reading_for
from care.records import record_of, signed_receipt
from care.services import (
    PolicyChanged,
    current_receipt,
    give_consent,
    is_outdated,
    publish_policy,
    require_consent,
    terms_of,
    withdraw_purposes,
)
from care.terms import Terms, overtaken
from care.verify_receipt import is_whole
from people.models import Community, Person
from people.refusals import Invalid
from tests.conftest import NOW, TRAINING, make_person
from training.runs.withdrawals import change_consent, withdraw_consent

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "platform" / "care" / "consent_receipt.schema.json").read_text())
SEED = bytes(range(32))
TERMS = Terms(
    controller="The council",
    contact="by letter",
    address="The house, the village",
    jurisdiction="MX",
    storage_countries=("MX",),
    processing_countries=("MX",),
    retention_months=24,
)

pytestmark = pytest.mark.django_db


def read(**changes: Any) -> Terms:
    return Terms.read(changes, default=TERMS)


@pytest.mark.parametrize(
    ("changes", "lost"),
    [
        ({}, frozenset()),
        ({"contact": "by telephone", "address": "Another house"}, frozenset()),
        ({"retention_months": 12}, frozenset()),
        ({"retention_months": 36}, EVERYTHING),
        ({"retention_months": 0}, EVERYTHING),
        ({"controller": "Somebody else"}, EVERYTHING),
        ({"withdrawal": "By a letter to the council."}, EVERYTHING),
        ({"recipients": ["A university"]}, OUTSIDE),
        ({"storage_countries": ["MX", "CA"]}, OUTSIDE),
        ({"processing_countries": ["CA"]}, OUTSIDE),
        ({"jurisdiction": "CA"}, OUTSIDE),
    ],
)
def test_only_wider_terms_overtake_what_was_agreed_to(changes: dict[str, Any], lost: frozenset[str]) -> None:
    assert overtaken(TERMS, read(**changes)) == lost
    if set(changes) <= {"recipients", "storage_countries"} and changes:
        assert overtaken(read(**changes), TERMS) == frozenset()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"controller": " "}, "controller"),
        ({"storage_countries": ["Mexico"]}, "storage_countries"),
        ({"storage_countries": []}, "storage_countries"),
        ({"retention_months": -1}, "retention_months"),
        ({"colour": "blue"}, "colour"),
    ],
)
def test_bad_terms_name_the_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        read(**changes)
    assert refused.value.field == field


def publish(community: Community, steward: Person, **more: Any) -> Any:
    given = {"text": "How your words are used.", "purposes": list(Purpose.values), **more}
    return publish_policy(waiver="For tests.", community=community, published_by=steward, now=NOW, **given)


def test_an_editorial_change_keeps_every_receipt(
    validated_corpus: list[Answer], community: Community, aroha: Person, ben: Person
) -> None:
    publish(community, aroha, text="How we use your words.", is_material=False)

    assert require_consent(ben, community) == current_receipt(ben, community)
    assert Answer.objects.eligible_for("train_noncommercial").count() == 12


def test_a_change_that_asks_for_more_is_not_editorial(community: Community, aroha: Person) -> None:
    publish(community, aroha, purposes=TRAINING, terms={"recipients": []})
    with pytest.raises(Invalid, match="asked again"):
        publish(community, aroha, purposes=[*TRAINING, Purpose.RESEARCH], is_material=False)
    with pytest.raises(Invalid, match="asked again"):
        publish(community, aroha, purposes=TRAINING, terms={"recipients": ["A university"]}, is_material=False)
    with pytest.raises(Invalid, match="two capital letters"):
        publish(community, aroha, purposes=TRAINING, terms={"storage_countries": ["Mexico"]})


def test_wider_terms_stretch_no_receipt_until_its_holder_agrees_again(
    validated_corpus: list[Answer], community: Community, aroha: Person, ben: Person, filipa: Person
) -> None:
    policy = publish(community, aroha, terms={"recipients": ["A university"]})

    assert not Answer.objects.eligible_for("train_noncommercial").exists()
    assert Answer.objects.eligible_for("display_members").count() == 12
    with pytest.raises(PolicyChanged):
        require_consent(ben, community)
    change_consent(person=ben, policy=policy, purposes=TRAINING, now=NOW)
    change_consent(person=filipa, policy=policy, purposes=TRAINING[:2], now=NOW)

    assert set(Answer.objects.eligible_for("train_noncommercial").values_list("author", flat=True)) == {ben.pk}
    with reading_for("train_noncommercial"):
        assert {one.author_id for one in Answer.objects.all()} == {ben.pk}
    assert set(Grant.objects.live()) == {grant for grant in Grant.objects.all() if grant.holds}


SCOPES = ("recipients", "storage_countries", "processing_countries")


class Life:
    """What becomes of one text and of those who agreed to it, and what an outsider to the code expects.

    A purpose beyond the members holds only while nobody gets the words, and they are kept and worked with nowhere, that
    was not named when it was agreed to. Once overtaken, it stays so until the person agrees again.
    """

    ACTS = (*SCOPES, "purposes", "fewer", "editorial", "sly", "wording")
    PLACES = ("body 1", "body 2", "CA", "GT", "US")

    def __init__(self, seed: int, policy: Any, steward: Person, receipts: dict[Person, Receipt]) -> None:
        self.draw = random.Random(seed)  # noqa: S311 - a draw that can be repeated
        self.policy, self.steward, self.receipts = policy, steward, dict(receipts)
        self.purposes = set(TRAINING)
        self.scope = {("storage_countries", "MX"), ("processing_countries", "MX")}
        self.agreed = {person: {purpose: set(self.scope) for purpose in TRAINING} for person in receipts}
        self.outdated: set[Person] = set()

    def act(self, act: str) -> None:
        if act == "sly":
            sly = copy(self)
            if new := self.draw.choice([*sorted(set(Purpose.values) - self.purposes), "", ""]):
                sly.purposes = self.purposes | {new}
            else:
                sly.scope = self.scope | {(self.draw.choice(SCOPES), "GB")}
            with pytest.raises(Invalid, match="asked again"):
                sly.publish(is_material=False)
        elif act == "editorial":
            self.publish(is_material=False)
        else:
            self.change(act)
            self.publish(is_material=True)
            self.outdated = set(self.agreed)

    def agree(self, person: Person) -> None:
        chosen = {*TRAINING[:2], *self.draw.sample(sorted(self.purposes), self.draw.randrange(len(self.purposes)))}
        self.receipts[person] = give_consent(person=person, policy=self.policy, purposes=chosen, now=NOW)
        self.agreed[person] = {purpose: set(self.scope) for purpose in chosen}
        self.outdated -= {person}

    def change(self, what: str) -> None:
        if what == "purposes":
            self.purposes = {*TRAINING, *self.draw.sample(Purpose.values, self.draw.randrange(5))}
        elif what == "fewer":
            self.scope -= {one for one in sorted(self.scope) if one[1] != "MX" and self.draw.random() < 0.5}
        elif what in SCOPES:
            places = [place for place in self.PLACES if (len(place) == 2) == what.endswith("countries")]
            self.scope |= {(what, place) for place in self.draw.sample(places, self.draw.randrange(1, 3))}

    def publish(self, *, is_material: bool) -> None:
        terms = {name: sorted(place for kind, place in self.scope if kind == name) for name in SCOPES}
        self.policy = publish(
            self.policy.community, self.steward, text=f"Our words, {self.draw.random()}.",
            purposes=sorted(self.purposes), terms=terms, is_material=is_material,
        )  # fmt: skip
        for agreed in self.agreed.values():
            for purpose in set(agreed) & OUTSIDE:
                if self.scope - agreed[purpose]:
                    del agreed[purpose]
                else:
                    agreed[purpose] &= self.scope

    def is_as_expected(self) -> bool:
        """Whether what holds in the database is what is expected, for everybody."""
        held: dict[int, set[str]] = {person.pk: set() for person in self.agreed}
        for person, purpose in Grant.objects.live().values_list("receipt__person", "purpose"):
            held[person].add(purpose)
        return held == {person.pk: set(agreed) for person, agreed in self.agreed.items()}

    def is_asked_again_if_outdated(self, person: Person) -> None:
        if person in self.outdated:
            with pytest.raises(PolicyChanged):
                require_consent(person, self.policy.community)
        else:
            assert require_consent(person, self.policy.community) == self.receipts[person]


def test_in_300_histories_no_receipt_counts_for_what_it_did_not_name(
    community: Community,
    aroha: Person,
    ben: Person,
    filipa: Person,
    goran: Person,
    chen: Person,
    esi: Person,
    dana: Person,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Fifty texts of eight changes each, and six people with each who agree again at times of their own.

    Decisions and the record, to which most of the time would go, have tests of their own.
    """
    at_home = {"storage_countries": ["MX"], "processing_countries": ["MX"]}
    policy = publish(community, aroha, purposes=TRAINING, terms=at_home)
    monkeypatch.setattr("care.services.require_decision", lambda **_: policy.decision)
    monkeypatch.setattr("care.services.append_entry", lambda **_: None)
    people = [ben, filipa, goran, chen, esi, dana]
    receipts = {one: give_consent(person=one, policy=policy, purposes=TRAINING, now=NOW) for one in people}
    done: Counter[str] = Counter()
    for seed in range(50):
        with transaction.atomic():
            life = Life(seed, policy, aroha, receipts)
            done["histories"] += len(life.agreed)
            for act in life.draw.choices(Life.ACTS, k=8):
                life.act(act)
                assert life.is_as_expected(), (seed, act)
                done[act] += 1
                if act == "editorial":
                    life.is_asked_again_if_outdated(life.draw.choice(people))
                if life.draw.random() < 0.6:
                    life.agree(life.draw.choice(people))
                    done["agree"] += 1
            assert life.is_as_expected(), seed
            life.is_asked_again_if_outdated(life.draw.choice(people))
            transaction.set_rollback(True)
    assert done["histories"] == 300
    assert min(done[act] for act in (*Life.ACTS, "agree")) > 30


def test_an_outdated_receipt_is_one_from_before_a_material_change(
    policy: Any, community: Community, aroha: Person, ben: Person, consenting: Callable[..., Receipt]
) -> None:
    receipt = consenting(ben)
    publish(community, aroha, is_material=False)
    assert not is_outdated(receipt)
    publish(community, aroha)
    assert is_outdated(receipt)


def signed(receipt: Receipt) -> dict[str, Any]:
    return signed_receipt(receipt, seed=SEED, now=NOW)


def test_500_receipts_have_every_field_and_their_signatures_hold(community: Community, aroha: Person) -> None:
    draw = random.Random(3)  # noqa: S311 - a draw that can be repeated
    check = jsonschema.Draft202012Validator(SCHEMA)
    policy = publish(community, aroha)
    people = [make_person(f"speaker-{number}") for number in range(50)]
    for number in range(500):
        person = people[number % len(people)]
        if number % 100 == 99:
            policy = publish(community, aroha, terms={"recipients": [f"body {number}"], "retention_months": number})
        chosen = {*TRAINING[:2], *draw.sample(Purpose.values, draw.randrange(len(Purpose.values)))}
        receipt = give_consent(person=person, policy=policy, purposes=chosen, now=NOW)
        if number % 3 == 0:
            withdraw_purposes(person=person, community=community, purposes=draw.sample(Purpose.values, 3), now=NOW)
        file = signed(receipt)
        check.validate(file)
        assert {one["purpose"] for one in file["receipt"]["record"]["processes"]} == chosen
        assert is_whole(json.dumps(file).encode())


def test_a_record_tells_what_happened_to_each_purpose(community: Community, aroha: Person, ben: Person) -> None:
    policy = publish(community, aroha, purposes=TRAINING)
    receipt = give_consent(person=ben, policy=policy, purposes=TRAINING, now=NOW)
    wider = publish(community, aroha, purposes=TRAINING, terms={"recipients": ["A university"]})
    states = {one["purpose"]: one["state"] for one in record_of(receipt)["processes"]}
    assert states["train_noncommercial"] == "invalidated"
    give_consent(person=ben, policy=wider, purposes=TRAINING, now=NOW)
    withdraw_consent(person=ben, community=community, purposes=["evaluate_models"], now=NOW)

    record = record_of(Receipt.objects.get(pk=receipt.pk))

    states = {one["purpose"]: one["state"] for one in record["processes"]}
    assert states["train_noncommercial"] == "renewed_given"
    assert states["evaluate_models"] == "withdrawn"
    assert [event["event_state"] for event in record["events"]].count("invalidated") == 2
    # A short number may well be among the letters of a hash; padded or not, it is no hash.
    assert len(record["pii_principal_id"]) == 32
    assert int(record["pii_principal_id"], 16) > 2**64 > ben.pk
    assert terms_of(wider).recipients == ("A university",)


def test_a_changed_receipt_or_another_key_is_noticed(
    community: Community, aroha: Person, ben: Person, tmp_path: Path
) -> None:
    receipt = give_consent(person=ben, policy=publish(community, aroha), purposes=TRAINING, now=NOW)
    file = signed(receipt)
    whole, path = json.dumps(file), tmp_path / "receipt.json"
    changed = whole.replace("train_noncommercial", "train_commercial")
    other = signed_receipt(receipt, seed=bytes(32), now=NOW)["signature"]["public_key"]
    assert is_whole(whole.encode(), file["signature"]["public_key"])
    assert not is_whole(whole.encode(), other)
    for broken in (changed, "no json", "[]", "{}", whole.replace('"value": "', '"value": "A')):
        assert not is_whole(broken.encode())
    for content, code in ((whole, 0), (changed, 1)):
        path.write_text(content)
        done = subprocess.run(
            [sys.executable, "-m", "care.verify_receipt", str(path)],
            env={**os.environ, "PYTHONPATH": f"{ROOT / 'platform'}:{ROOT}"},
            capture_output=True,
            check=False,
        )
        assert done.returncode == code


def test_a_person_takes_their_receipt_home_and_nobody_else_s(
    client: Client, community: Community, policy: Any, ben: Person, filipa: Person, consenting: Callable[..., Receipt]
) -> None:
    receipt = consenting(ben)
    address = f"/c/test-otomi/speak/consent/receipts/{receipt.pk}/"
    client.force_login(filipa)
    assert client.get(address).status_code == 404
    client.force_login(ben)
    assert address in client.get("/c/test-otomi/speak/consent/").content.decode()
    response = client.get(address)
    assert response["Content-Disposition"].startswith("attachment")
    assert is_whole(response.content)


def test_a_steward_writes_terms_and_says_what_changes(client: Client, community: Community, aroha: Person) -> None:
    client.force_login(aroha)
    page = "/c/test-otomi/steward/consent/"
    given = {
        "text": "How.",
        "waiver": "For tests.",
        "purposes": list(Purpose.values),
        "controller": "The council",
        "contact": "by letter",
        "storage_countries": "mx, ca",
        "recipients": "A university\nAn archive",
        "retention_months": "0",
        "is_material": "yes",
    }
    assert client.post(page, given).status_code == 302
    read_again = client.get(page).content.decode()
    assert "CA, MX" in read_again
    assert "A university\nAn archive" in read_again
    wider = client.post(page, {**given, "recipients": "A university\nAn archive\nA firm", "is_material": ""})
    assert wider.status_code == 422
    assert "more than an editorial change" in wider.content.decode()
    assert "stays valid" in client.post(page, {**given, "is_material": ""}, follow=True).content.decode()
    version = client.get(f"{page}2/").content.decode()
    assert "A university, An archive" in version
    assert "The council" in version
