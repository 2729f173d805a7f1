"""Entries say openly what a list allows; names and free text are sealed, and can be erased while the chain stays."""

import hmac

import pytest
import rfc8785
from django.db import connection

from annotation.conflicts.models import Adjudication
from annotation.projects.models import Project
from annotation.standing.models import StandingEvent
from care.models import Purpose
from ledger import actions
from ledger.actions import ACTIONS, NotAllowlisted
from ledger.checkpoints import check_chain, export_lines
from ledger.models import Entry, Secret
from ledger.services import append_entry, body_of, erase_secrets
from people.models import Role
from training.recipes.configuration import METHODS
from training.runs.models import Adapter

CANARIES = ["Zzyx Canary", "zzyx@example.org", "zzyx", "a reason about Zzyx", "2026-03-02", 1.5, None, {"zzyx": 1}]


def append(now, **more):
    given = {"action": "membership.granted", "subject": "person:3", "community": "one", "actor": "7", "now": now}
    return append_entry(**{**given, **more})


@pytest.mark.parametrize("action", ACTIONS)
def test_no_action_can_say_a_name_or_a_sentence_openly(db, now, action):
    rule = ACTIONS[action]
    for canary in CANARIES:
        for name in (*rule.details, "note", "zzyx"):
            for value in (canary, [canary]):
                with pytest.raises(NotAllowlisted):
                    append(now, action=action, details={name: value})
    assert not Entry.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [{"actor": "zzyx"}, {"subject": "person:zzyx"}, {"subject": "Zzyx"}, {"subject": ""}, {"action": "zzyx"}],
)
def test_actor_subject_and_action_are_ids_and_known_words(db, now, wrong):
    with pytest.raises(NotAllowlisted):
        append(now, **wrong)


@pytest.mark.parametrize("value", [True, -1, 2**53, "1", 1.0])
def test_a_number_is_a_whole_one_that_every_reader_can_hold(value):
    assert not actions.number(value)


def test_the_words_of_the_list_are_those_of_the_rooms():
    assert set(actions.PURPOSE_WORDS) == set(Purpose.values)
    assert all(map(actions.ROLE, Role.values))
    assert all(map(actions.DECISION, Adjudication.Decision.values))
    assert all(map(ACTIONS["run.queued"].details["method"], METHODS))
    said = {*(f"project.{state}" for state in Project.State.values)}
    said |= {*(f"person.{kind}" for kind in StandingEvent.Kind.values)}
    said |= {*(f"adapter.{state}" for state in Adapter.State.values if state != Adapter.State.CANDIDATE)}
    assert said <= set(ACTIONS)


def test_what_is_private_is_nowhere_in_the_entry(db, now):
    entry = append(now, action="project.opened", private={"title": "Zzyx Canary", "note": None})

    with connection.cursor() as cursor:
        cursor.execute("SELECT e::text FROM ledger_entry e")
        assert "Zzyx" not in str(cursor.fetchall())
    assert entry.secret.payload == {"title": "Zzyx Canary", "note": None}
    assert len(entry.secret.salt) == 32


def test_numbers_with_a_fraction_are_not_sealed(db, now):
    with pytest.raises(ValueError, match="canonical"):
        append(now, private={"share": 0.5})


def test_consent_does_not_even_say_openly_whose_it_is(db, now):
    entry = append(now, action="consent.given", subject="receipt:5", details={"purposes": ["research"]})

    assert (entry.actor, entry.subject) == ("", "")
    assert entry.secret.payload == {"actor": "7", "subject": "receipt:5"}


def test_nothing_open_in_an_entry_lets_anybody_find_out_by_trying_whose_consent_it_is(consenting, ben):
    """A receipt's hash is over its person and moment: in the open, trying every account would show who it was."""
    receipt = consenting(ben)
    entry = Entry.objects.get(action="consent.given")

    assert receipt.sha256 not in str(body_of(entry))
    assert entry.secret.payload["sha256"] == receipt.sha256


def test_no_open_word_of_a_whole_community_s_work_is_a_name(validated_corpus, community, aroha):
    """A scan of everything that the usual journey recorded."""
    names = {"aroha", "ben", "filipa", "goran", "Test", "frase", "traducción", "CC0", "test.tsv"}
    bodies = [(entry.actor, entry.subject, str(entry.details)) for entry in Entry.objects.all()]
    assert len(bodies) > 8
    assert not [body for body in bodies for name in names if any(name in part for part in body)]


@pytest.fixture
def written(db, now):
    """Three people's notes, and one entry without."""
    for actor in ("7", "8", "9"):
        append(now, action="adapter.approved", subject="adapter:1", actor=actor, private={"note": f"note of {actor}"})
    append(now, action="person.frozen", subject="person:7", actor="8", private={"note": "about 7"})
    append(now, action="membership.granted", details={"role": "expert"})
    return list(Entry.objects.order_by("sequence"))


def test_erasing_a_person_leaves_the_chain_whole_and_says_how_much_is_gone(written, now):
    assert erase_secrets(about="7", now=now) == 2

    report = check_chain("one")
    assert (report.entries, report.opened, report.erased) == (6, 2, 2)
    last = Entry.objects.order_by("-sequence").first()
    assert (last.action, last.details) == ("secrets.erased", {"secrets": 2})
    assert not any(word in str(list(export_lines(community="one", with_secrets=True))) for word in ("of 7", "about 7"))
    assert "note of 8" in str(list(export_lines(community="one", with_secrets=True)))


def test_erasing_named_entries_touches_no_other(written, now):
    assert erase_secrets(entries=written[1:2], now=now, actor="8") == 1
    assert sorted(Secret.objects.values_list("entry__sequence", flat=True)) == [1, 3, 4]
    assert erase_secrets(entries=written[1:2], now=now) == 0
    assert erase_secrets(now=now) == 0
    assert check_chain("one").erased == 1


def test_each_chain_says_what_was_erased_in_it(written, now):
    append(now, community="other", action="adapter.approved", subject="adapter:1", private={"note": "elsewhere"})

    assert erase_secrets(about="7", now=now) == 3
    assert [check_chain(name).erased for name in ("one", "other")] == [2, 1]


def test_whoever_guesses_what_was_erased_cannot_see_it_confirmed(written, now):
    """Without its salt no remaining hash answers to the true text."""
    truths = [dict(payload) for payload in Secret.objects.values_list("payload", flat=True)]
    salts = [bytes(salt) for salt in Secret.objects.values_list("salt", flat=True)]
    commitments = {entry.commitment for entry in written if entry.commitment}
    found = {hmac.digest(salt, rfc8785.dumps(truth), "sha256").hex() for salt in salts for truth in truths}
    assert commitments <= found  # with the salts, it would be
    erase_secrets(entries=written, now=now)

    text = "\n".join(export_lines(community="one", with_secrets=True))
    hashes = {word for entry in Entry.objects.all() for word in (entry.commitment, entry.sha256, entry.previous_sha256)}
    salts = [b"", bytes(32), *(bytes.fromhex(word) for word in hashes if word)]
    salts += [str(number).encode() for number in range(100)]
    guesses = {
        hmac.digest(salt, content, "sha256").hex()
        for salt in salts
        for truth in truths
        for content in (rfc8785.dumps(truth), truth["note"].encode())
    }
    assert not guesses & hashes
    assert not any(truth["note"] in text for truth in truths)
