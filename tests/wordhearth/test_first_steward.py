"""The first account comes from the environment or from whoever sits at the terminal, once."""

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from people.models import Person
from tests.conftest import PASSWORD
from wordhearth.management.commands import first_steward

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nobody_at_the_terminal(monkeypatch):
    monkeypatch.delenv("WORDHEARTH_STEWARD", raising=False)
    monkeypatch.delenv("WORDHEARTH_STEWARD_PASSWORD", raising=False)
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)


def in_environment(monkeypatch, username="aroha", password=PASSWORD):
    monkeypatch.setenv("WORDHEARTH_STEWARD", username)
    monkeypatch.setenv("WORDHEARTH_STEWARD_PASSWORD", password)


def test_it_is_made_from_the_environment(monkeypatch, capsys):
    in_environment(monkeypatch)

    call_command("first_steward")

    person = Person.objects.get()
    assert (person.username, person.is_staff, person.is_superuser) == ("aroha", True, True)
    assert person.check_password(PASSWORD)
    assert "Created aroha" in capsys.readouterr().out


def test_the_second_time_nothing_happens(monkeypatch, capsys):
    in_environment(monkeypatch)
    call_command("first_steward")
    capsys.readouterr()
    in_environment(monkeypatch, username="ben", password="another long phrase")

    call_command("first_steward")

    assert [person.username for person in Person.objects.all()] == ["aroha"]
    assert Person.objects.get().check_password(PASSWORD)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("password", "words"),
    [("short", "too short"), ("password1", "too common"), ("aroha-steward", "similar to the username")],
)
def test_a_weak_password_is_refused(monkeypatch, password, words):
    in_environment(monkeypatch, username="aroha-steward", password=password)
    with pytest.raises(CommandError, match=words):
        call_command("first_steward")
    assert not Person.objects.exists()


def test_a_username_that_no_form_would_take_is_refused(monkeypatch):
    in_environment(monkeypatch, username="two words")
    with pytest.raises(CommandError, match="valid username"):
        call_command("first_steward")
    assert not Person.objects.exists()


def test_a_name_that_is_taken_is_refused(monkeypatch):
    Person.objects.create_user(username="aroha", password=PASSWORD)
    in_environment(monkeypatch)
    with pytest.raises(CommandError, match="already exists"):
        call_command("first_steward")
    assert not Person.objects.get().is_superuser


@pytest.mark.parametrize("given", [{}, {"WORDHEARTH_STEWARD": "aroha"}, {"WORDHEARTH_STEWARD_PASSWORD": "phrase"}])
def test_without_terminal_and_variables_it_says_what_to_set(monkeypatch, given):
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(CommandError, match="WORDHEARTH_STEWARD and WORDHEARTH_STEWARD_PASSWORD, or run in a terminal"):
        call_command("first_steward")


def test_at_a_terminal_it_asks(monkeypatch):
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: " aroha ")
    monkeypatch.setattr(first_steward.getpass, "getpass", lambda question: PASSWORD)

    call_command("first_steward")

    assert Person.objects.get().check_password(PASSWORD)
