"""A database of an older version is taken over whole, or not at all."""

import pytest
from django.core.checks import Error
from django.db.migrations.recorder import MigrationRecorder

from wordhearth.upgrading import _replaced, check_no_version_is_skipped

pytestmark = pytest.mark.django_db
OLD = ("runs", "0004_gate")


@pytest.fixture
def applied(monkeypatch):
    """applied(changed) makes the recorder name what `changed` makes of the migrations that ran."""
    ran = set(MigrationRecorder.Migration.objects.values_list("app", "name"))

    def name(changed):
        monkeypatch.setattr(MigrationRecorder, "applied_migrations", lambda _: dict.fromkeys(changed(ran)))

    return name


def test_a_new_database_and_one_of_the_last_version_pass(applied):
    assert OLD in _replaced()
    applied(lambda ran: ran)
    assert check_no_version_is_skipped(["default"]) == []
    applied(lambda ran: ran - _replaced())
    assert check_no_version_is_skipped(["default"]) == []


def test_one_that_stopped_before_is_told_what_to_do(applied):
    applied(lambda ran: ran - {OLD})
    (found,) = check_no_version_is_skipped(["default"])
    assert isinstance(found, Error)
    assert "lacks runs.0004_gate" in found.msg
    assert "Start the version of that day on it once" in found.hint
    assert check_no_version_is_skipped(None) == []
