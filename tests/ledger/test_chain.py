"""The ledger only grows, one chain for each community, and a change is found."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.utils import ProgrammingError

from ledger.checkpoints import check_chain, checkpoint_now
from ledger.models import Checkpoint, Entry, Secret
from ledger.services import append_entry
from ledger.verify import Broken
from tests.ledger.made import TABLES, as_owner
from wordhearth.benches.ledger import write_at_once


def append(now, number=1, community="one", **more):
    given = {"action": "project.opened", "subject": f"project:{number}", "private": {"title": f"Project {number}"}}
    return append_entry(**{**given, "community": community, "actor": "7", "now": now, **more})


@pytest.fixture
def entries(db, now):
    return [append(now, number) for number in range(1, 4)]


def test_a_chain_is_whole(entries):
    report = check_chain("one")
    assert (report.entries, report.opened, report.head) == (3, 3, entries[-1].sha256)


def test_each_community_has_a_chain_of_its_own_and_so_has_the_installation(entries, now):
    append(now, community="other")
    append(now, community="")

    assert [entry.sequence for entry in Entry.objects.of_community("other")] == [1]
    assert [check_chain(name).entries for name in ("one", "other", "", "empty")] == [3, 1, 1, 0]


def test_an_act_that_is_rolled_back_leaves_no_entry(entries, now):
    with transaction.atomic():
        append(now)
        transaction.set_rollback(True)
    assert (Entry.objects.count(), Secret.objects.count()) == (3, 3)
    append(now)
    assert check_chain("one").entries == 4


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("act", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {}", "TRUNCATE {} CASCADE"])
@pytest.mark.parametrize("has_rights", [False, True])
def test_the_database_refuses_to_change_or_empty_it(entries, now, table, act, has_rights):
    """By rights, and where somebody has given these again, by triggers."""
    checkpoint_now(community="one", now=now)
    refused = IntegrityError if has_rights else ProgrammingError
    with connection.cursor() as cursor:
        if has_rights:
            cursor.execute(f"GRANT UPDATE, DELETE, TRUNCATE ON {table} TO CURRENT_USER")
        with pytest.raises(refused, match="append-only" if has_rights else "permission denied"), transaction.atomic():
            cursor.execute(act.format(table))
    assert (Entry.objects.count(), Checkpoint.objects.count()) == (3, 1)


def test_a_role_that_may_only_read_and_write_can_keep_the_ledger(entries, now):
    """The rights that docs/ledger.md advises for a server whose tables belong to another role."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege(current_user, 'ledger_entry', 'INSERT, SELECT')")
        assert cursor.fetchone() == (True,)
        cursor.execute("SELECT has_table_privilege(current_user, 'ledger_entry', 'UPDATE, DELETE, TRUNCATE')")
        assert cursor.fetchone() == (False,)


def test_two_entries_cannot_follow_the_same_one(entries):
    first = Entry.objects.get(sequence=1)
    fork = {"community": "one", "action": "project.opened", "at": first.at, "sha256": "e" * 64}
    with pytest.raises(IntegrityError, match="one_entry_follows_another"), transaction.atomic():
        Entry.objects.create(**fork, sequence=9, previous_sha256=first.sha256)
    with pytest.raises(IntegrityError, match="one_entry_per_place_in_a_chain"), transaction.atomic():
        Entry.objects.create(**fork, sequence=3, previous_sha256="d" * 64)


def test_a_change_behind_the_database_s_back_is_found(entries):
    with as_owner():
        Entry.objects.filter(sequence=2).update(subject="project:9")
    with pytest.raises(Broken, match="line 3: entry 2 was changed"):
        check_chain("one")


@pytest.mark.django_db(transaction=True)
def test_many_write_at_once_without_gap_or_fork():
    facts = write_at_once(writers=8, each=25)

    assert (facts["written"], facts["gaps"], facts["forks"]) == (200, 0, 0)
    assert check_chain("made-up").entries == 200


@pytest.mark.django_db(transaction=True)
def test_writers_of_two_communities_do_not_wait_for_each_other(now):
    with transaction.atomic():
        append(now, community="one")
        other = connection.copy()
        try:
            with other.cursor() as cursor:
                locks = "SELECT pg_try_advisory_lock(7104021, hashtext(%s))"
                found = [cursor.execute(locks, [name]).fetchone()[0] for name in ("one", "other")]
        finally:
            other.close()
    assert found == [False, True]
