"""Every error of the API is a problem in the same shape, in words for people."""

import pytest
from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as ModelInvalid
from django.http import Http404
from rest_framework import exceptions
from rest_framework.test import APIClient

from people.refusals import Conflicting, Invalid, NotAllowed, TooLate
from wordhearth.problems import ProblemSerializer, problem_details


def problem(error):
    """What the API answers when a view raises the error."""
    answer = problem_details(error, {})
    assert answer.content_type == "application/problem+json"
    assert answer.data["status"] == answer.status_code
    assert set(answer.data) <= set(ProblemSerializer().fields)
    assert ProblemSerializer(data=answer.data).is_valid()
    return answer.data


@pytest.mark.parametrize(
    ("refusal", "status", "title"),
    [
        (NotAllowed("Not you."), 403, "Forbidden"),
        (Conflicting("Somebody was faster."), 409, "Conflict"),
        (TooLate("It is over."), 410, "Gone"),
        (Invalid("It is empty."), 422, "Unprocessable Entity"),
    ],
)
def test_a_refusal_keeps_its_status_and_its_words(refusal, status, title):
    assert problem(refusal) == {
        "type": type(refusal).__name__,
        "title": title,
        "status": status,
        "detail": str(refusal),
    }


def test_a_refusal_names_the_field_it_is_about():
    assert problem(Invalid("It is empty.", field="text"))["errors"] == {"text": ["It is empty."]}


def test_a_refusal_of_a_named_kind_keeps_its_name():
    class AnswerChanged(Conflicting):
        """Made up here."""

    assert problem(AnswerChanged("It changed."))["type"] == "AnswerChanged"


def test_what_a_model_refuses_names_its_fields():
    found = problem(ModelInvalid({"slug": ["Taken."], "name": ["Too long."]}))
    assert (found["status"], found["errors"]) == (422, {"slug": ["Taken."], "name": ["Too long."]})


def test_what_a_model_refuses_as_a_whole_is_about_no_field():
    assert problem(ModelInvalid("Does not fit."))["errors"] == {"non_field_errors": ["Does not fit."]}


def test_a_wrong_body_names_its_fields():
    found = problem(exceptions.ValidationError({"text": ["Required."], "version": ["A number, please."]}))
    assert (found["status"], found["type"], found["title"]) == (400, "Invalid", "Bad Request")
    assert found["errors"] == {"text": ["Required."], "version": ["A number, please."]}


def test_what_is_wrong_inside_a_list_is_said_flat():
    found = problem(exceptions.ValidationError({"varieties": [{}, {"code": ["Taken."]}], "sources": {1: ["No."]}}))
    assert found["errors"] == {"varieties": ["code: Taken."], "sources": ["1: No."]}


def test_a_body_that_is_wrong_as_a_whole_is_about_no_field():
    assert problem(exceptions.ValidationError(["Empty."]))["errors"] == {"non_field_errors": ["Empty."]}


def test_missing_and_hidden_things_are_told_alike():
    missing, hidden = problem(Http404()), problem(Http404("No Answer matches the given query."))
    assert missing["status"] == 404
    assert missing == hidden
    assert missing["detail"] == "There is no such thing, or you may not see it."


def test_a_missing_permission_is_a_problem():
    assert problem(PermissionDenied())["detail"] == "You may not do this."
    assert problem(exceptions.PermissionDenied())["status"] == 403


def test_broken_json_and_wrong_methods_are_problems():
    assert problem(exceptions.ParseError())["status"] == 400
    assert problem(exceptions.MethodNotAllowed("DELETE"))["status"] == 405
    assert problem(exceptions.UnsupportedMediaType("text/x"))["status"] == 415


def test_whoever_asks_too_often_hears_when_to_come_back():
    answer = problem_details(exceptions.Throttled(wait=37), {})
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "37"
    assert problem(exceptions.Throttled(wait=37))["title"] == "Too Many Requests"
    assert "37" in problem(exceptions.Throttled(wait=37))["detail"]


def test_a_bug_is_not_dressed_up():
    assert problem_details(ZeroDivisionError(), {}) is None


@pytest.mark.django_db
def test_trying_passwords_is_slowed_down():
    # An address of its own: others may have signed in from the usual one within this minute.
    client = APIClient(REMOTE_ADDR="198.51.100.7")
    body = {"username": "ben", "password": "a guess"}
    first = [client.post("/api/v1/token/", body).status_code for _ in range(20)]
    then = client.post("/api/v1/token/", body)

    assert set(first) == {400}
    assert then.status_code == 429
    assert 0 < int(then["Retry-After"]) <= 60
    assert then["Content-Type"] == "application/problem+json"
    assert then.json()["type"] == "Throttled"


@pytest.mark.django_db
def test_whoever_is_not_signed_in_hears_how_to(client):
    answer = client.get("/api/v1/projects/")
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Token"
    assert answer.json()["type"] == "NotAuthenticated"
