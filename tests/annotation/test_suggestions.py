"""What machines propose is kept apart, shown, begun with or not, and marked in the data."""

from uuid import uuid4

import pytest

from annotation.answers.models import Answer, Suggestion
from annotation.answers.services import submit_answer
from annotation.answers.suggestions import add_suggestions
from annotation.projects.models import Task
from annotation.projects.services import lease_task
from people.refusals import Invalid, NotAllowed
from tests.conftest import NOW
from tests.frontend.speaker.pages import DESK, text_of
from tests.kinds.opening import open_kind

pytestmark = pytest.mark.django_db
MODEL = "made-up model 1"


def propose(project, person, *rows, made_by=MODEL):
    return add_suggestions(project=project, rows=rows, made_by=made_by, added_by=person, now=NOW)


@pytest.fixture
def lease(project, ben, consenting):
    consenting(ben)
    return lease_task(project=project, person=ben, now=NOW)


def test_each_is_checked_as_an_answer_would_be(project, aroha, lease):
    kept, problems = propose(
        project,
        aroha,
        {"task": lease.task_id, "text": "n\u0303a\u0308"},
        {"task": lease.task_id + 1, "text": "Привет, как дела"},
        {"task": 0, "text": "ñä"},
    )
    assert kept == 1
    assert [row["task"] for row in problems] == [lease.task_id + 1, 0]
    assert Suggestion.objects.get().text == "ñä"


def test_a_newer_one_of_the_same_model_takes_its_place(project, aroha, lease):
    for text in ("ñä", "ñä ñä"):
        propose(project, aroha, {"task": lease.task_id, "text": text})
    propose(project, aroha, {"task": lease.task_id, "text": "ñä ñä ñä"}, made_by="another")
    assert sorted(Suggestion.objects.values_list("text", flat=True)) == ["ñä ñä", "ñä ñä ñä"]


def test_only_researchers_and_stewards_add_them_and_name_the_model(project, ben, esi, lease):
    with pytest.raises(NotAllowed):
        propose(project, ben, {"task": lease.task_id, "text": "ñä"})
    with pytest.raises(Invalid, match="Name the model"):
        propose(project, esi, {"task": lease.task_id, "text": "ñä"}, made_by=" ")


def test_nothing_of_it_is_kept_unless_somebody_sends_it(project, aroha, lease):
    propose(project, aroha, {"task": lease.task_id, "text": "ñä"})
    assert not Answer.objects.exists()
    assert Task.objects.get(pk=lease.task_id).state == Task.State.OPEN


def test_an_answer_begun_with_one_says_so(client, project, aroha, ben, lease):
    propose(project, aroha, {"task": lease.task_id, "text": "ñä of a machine"})
    client.force_login(ben)
    work = f"{DESK}/work/{project.pk}/"
    assert "A machine has a suggestion" in text_of(client.get(work))
    suggestion = Suggestion.objects.get()

    page = text_of(client.get(work, {"suggestion": suggestion.pk}))
    assert "ñä of a machine</textarea>" in page
    assert f'name="suggestion" value="{suggestion.pk}"' in page
    fields = {"assignment": lease.pk, "client_id": uuid4(), "suggestion": suggestion.pk, "text": "ñä of mine"}
    client.post(work, fields)

    answer = Answer.objects.get()
    assert (answer.text, answer.suggestion) == ("ñä of mine", suggestion)


def test_the_reviewer_is_told(client, project, aroha, ben, filipa, lease, consenting):
    consenting(filipa)
    propose(project, aroha, {"task": lease.task_id, "text": "ñä"})
    submit_answer(
        assignment=lease,
        author=ben,
        client_id=uuid4(),
        now=NOW,
        text="ñä",
        suggestion=Suggestion.objects.get().pk,
    )
    client.force_login(filipa)
    assert f"began with a suggestion by {MODEL}" in text_of(client.get(f"{DESK}/review/{project.pk}/"))


def test_a_suggestion_for_another_task_marks_nothing(project, aroha, ben, lease):
    propose(project, aroha, {"task": lease.task_id + 1, "text": "ñä"})
    answer = submit_answer(
        assignment=lease, author=ben, client_id=uuid4(), now=NOW, text="ñä", suggestion=Suggestion.objects.get().pk
    )
    assert answer.suggestion is None


@pytest.mark.parametrize("number", ["", "x", "999999", "9" * 30, "-1"])
def test_a_number_of_no_suggestion_is_passed_over(client, project, ben, lease, number):
    client.force_login(ben)
    assert client.get(f"{DESK}/work/{project.pk}/", {"suggestion": number}).status_code == 200


def test_spans_of_a_model_are_offered_one_by_one(client, community, aroha, ben, consenting):
    consenting(ben)
    project = open_kind(community, aroha, "label")
    lease = lease_task(project=project, person=ben, now=NOW)
    spans = {"spans": [{"start": 0, "end": 5, "label": "LOC"}]}
    assert propose(project, aroha, {"task": lease.task_id, "payload": spans})[0] == 1
    client.force_login(ben)

    page = text_of(client.get(f"{DESK}/work/{project.pk}/"))

    assert f"Keep the suggestion LOC: “frase” ({MODEL})" in page
    plain = {"row_exact": "", "row_from": "", "row_to": "", "row_label": "", "accept": "0"}
    client.post(f"{DESK}/work/{project.pk}/", {"assignment": lease.pk, "client_id": uuid4(), **plain})
    assert Answer.objects.get().payload == {"spans": [{**spans["spans"][0], "suggested_by": MODEL}]}


def test_malformed_spans_of_a_model_are_refused(community, aroha):
    project = open_kind(community, aroha, "label")
    task = project.tasks.first()
    wrong = [{"start": 3, "end": 99, "label": "LOC"}, {"start": 0, "end": 5, "label": "ORG"}]
    for span in wrong:
        kept, problems = propose(project, aroha, {"task": task.pk, "payload": {"spans": [span]}})
        assert (kept, len(problems)) == (0, 1)


def test_the_api_takes_and_tells_them(client, project, esi, ben, lease):
    client.force_login(esi)
    address = f"/api/v1/projects/{project.pk}/suggestions/"
    body = {"made_by": MODEL, "rows": [{"task": lease.task_id, "text": "ñä"}, {"task": 0, "text": "ñä"}]}
    answer = client.post(address, body, content_type="application/json")
    assert (answer.status_code, answer.json()["kept"]) == (201, 1)
    assert client.get(address).json()[0]["made_by"] == MODEL
    client.force_login(ben)
    sent = {
        "assignment": lease.pk,
        "client_id": str(uuid4()),
        "text": "ñä",
        "suggestion": Suggestion.objects.get().pk,
    }
    assert client.post("/api/v1/answers/", sent, content_type="application/json").json()["began_with"] == MODEL
