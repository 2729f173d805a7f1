"""A steward says what authors are warned about, in a plain form, and reads it in words."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from django.test import Client

from annotation.projects.models import Project
from annotation.projects.services import open_project
from people.models import Person
from tests.conftest import NOW

pytestmark = pytest.mark.django_db

DESK = "/c/test-otomi/steward/projects"
RULE = {"name": "Double a", "pattern": "aa ?", "message": "One a is enough."}
NO_RULES = {"rule-TOTAL_FORMS": "2", "rule-INITIAL_FORMS": "0"}


@pytest.fixture
def arohas(client: Client, aroha: Person) -> Client:
    """A browser in which the steward is signed in."""
    client.force_login(aroha)
    return client


def of_rule(number: int, rule: dict[str, str]) -> dict[str, str]:
    return {f"rule-{number}-{name}": value for name, value in rule.items()}


def filled(form: Any) -> dict[str, Any]:
    """What a browser sends when the form is sent as it is shown."""
    fields = [*form, *(field for rule in form.rules for field in rule), *form.rules.management_form]
    values = {field.html_name: field.value() for field in fields}
    return {name: value for name, value in values.items() if value not in (None, "")}


def test_what_is_typed_is_kept_and_read_in_words(arohas: Client, project: Project) -> None:
    typed = {
        **NO_RULES,
        **of_rule(0, RULE),
        "wanted": ["numbers", "length"],
        "shortest": "50",
        "alphabet": "a ñ\nch",
        "longest_sentence": "12",
        "conjunctions": "ba\nbo bo",
    }

    page = unescape(arohas.post(f"{DESK}/{project.pk}/checks/", typed, follow=True).content.decode())

    project.refresh_from_db()
    assert project.checks == {
        "wanted": ["numbers", "length"],
        "alphabet": ["a", "ñ", "ch"],
        "conjunctions": ["ba", "bo bo"],
        "rules": [RULE],
        "shortest": 0.5,
        "longest_sentence": 12,
    }
    assert "Numbers that the source has not, or that are missing." in page
    assert "(less than 50 % of it, or more than 250 %)." in page
    assert "Letters outside of: a ñ ch." in page
    assert "Double a: One a is enough." in page
    assert "Hint: sentences of more than 12 words." in page


def test_sending_the_form_as_it_is_shown_changes_nothing(arohas: Client, project: Project) -> None:
    kept = {
        "wanted": ["numbers", "copy"],
        "alphabet": ["a", "ñ"],
        "may_repeat": ["ba"],
        "common": ["ba", "bo"],
        "conjunctions": ["bo bo"],
        "rules": [RULE, {**RULE, "name": "Another"}],
        "copied": 0.9,
        "most_joined": 2,
    }
    Project.objects.filter(pk=project.pk).update(checks=kept)
    form = arohas.get(f"{DESK}/{project.pk}/checks/").context["form"]

    assert arohas.post(f"{DESK}/{project.pk}/checks/", filled(form)).status_code == 302

    project.refresh_from_db()
    assert project.checks == kept


def test_an_emptied_rule_is_taken_away(arohas: Client, project: Project) -> None:
    Project.objects.filter(pk=project.pk).update(checks={"rules": [RULE]})
    emptied = of_rule(0, dict.fromkeys(RULE, ""))

    arohas.post(f"{DESK}/{project.pk}/checks/", {"rule-TOTAL_FORMS": "3", "rule-INITIAL_FORMS": "1", **emptied})

    project.refresh_from_db()
    assert project.checks == {}


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (of_rule(0, {**RULE, "pattern": "(a+)+"}), "Double a: The pattern repeats a group"),
        (of_rule(0, {**RULE, "message": ""}), "A rule needs a name and a message"),
        ({"shortest": "200"}, "less than or equal to 100"),
        ({"longest_word": "0"}, "This must be a whole number from 1 to 1000."),
        ({"alphabet": "a" * 101}, "An entry may have 100 characters at most."),
        ({"wanted": "tone"}, "tone is not one of the available choices"),
    ],
)
def test_a_wrong_setting_is_said_and_nothing_typed_is_lost(
    arohas: Client, project: Project, typed: dict[str, str], message: str
) -> None:
    response = arohas.post(f"{DESK}/{project.pk}/checks/", {**NO_RULES, "common": "ba bo", **typed})

    page = unescape(response.content.decode())
    assert response.status_code == 422
    assert message in page
    assert "\nba bo</textarea>" in page
    project.refresh_from_db()
    assert project.checks == {}


def test_a_form_without_its_rules_is_refused(arohas: Client, project: Project) -> None:
    response = arohas.post(f"{DESK}/{project.pk}/checks/", {"wanted": "numbers"})

    assert response.status_code == 422
    project.refresh_from_db()
    assert project.checks == {}


def test_kinds_whose_answers_are_no_words_have_no_checks(arohas: Client, project: Project, aroha: Person) -> None:
    chosen = open_project(
        community=project.community,
        created_by=aroha,
        sources=list(project.community.sources.all()),
        now=NOW,
        title="Choices",
        kind="classify",
        settings={"labels": ["one", "two"]},
        source_language_name="Spanish",
        source_language_tag="es",
    )

    assert arohas.get(f"{DESK}/{chosen.pk}/checks/").status_code == 404
    assert b"What authors are warned about" not in arohas.get(f"{DESK}/{chosen.pk}/").content


def test_a_kind_that_says_nothing_again_is_not_compared(arohas: Client, project: Project) -> None:
    Project.objects.filter(pk=project.pk).update(kind="write")

    form = arohas.get(f"{DESK}/{project.pk}/checks/").context["form"]

    assert "numbers" not in dict(form.fields["wanted"].choices)
    assert "shortest" not in form.fields


def test_a_speaker_finds_no_such_page(client: Client, ben: Person, project: Project) -> None:
    client.force_login(ben)

    assert client.get(f"{DESK}/{project.pk}/checks/").status_code == 404
