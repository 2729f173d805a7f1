"""The ledger only grows, and a change is found."""

import pytest
from django.db import IntegrityError, connection, transaction

from ledger.models import Entry
from ledger.services import append_entry, find_broken_entry


@pytest.fixture
def entries(db, now):
    return [append_entry(action="test.done", subject=f"thing:{n}", now=now, details={"ñ": n}) for n in range(3)]


def test_the_chain_holds(entries):
    assert [entry.sequence for entry in Entry.objects.all()] == [1, 2, 3]
    assert find_broken_entry() is None


@pytest.mark.parametrize("act", ["update", "delete"])
def test_the_database_refuses_changes(entries, act):
    rows = Entry.objects.filter(sequence=2)
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        rows.update(action="x") if act == "update" else rows.delete()


def test_a_change_behind_the_database_s_back_is_found(entries):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE ledger_entry DISABLE TRIGGER USER")
        cursor.execute("UPDATE ledger_entry SET subject = 'thing:9' WHERE sequence = 2")
        cursor.execute("ALTER TABLE ledger_entry ENABLE TRIGGER USER")
    assert find_broken_entry().sequence == 2
