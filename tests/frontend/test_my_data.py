"""“My data”: what I gave and what it is used for, taking back, erasing, and all of it as a file."""

from __future__ import annotations

import io
import json
import zipfile
from uuid import uuid4

import pytest

from annotation.answers.models import Answer, AnswerEvent, Review
from annotation.conflicts.models import Adjudication
from annotation.conflicts.services import ask_expert
from care.models import Withdrawal
from people.models import Person
from tests.conftest import NOW, PASSWORD
from tests.frontend.made import make_adapter, make_release, make_run
from training.lineage.jobs import erase_accounts_job
from training.lineage.services import follow_withdrawals
from training.playground.models import Explanation
from training.playground.services import request_generation
from training.runs.models import Adapter
from training.runs.withdrawals import withdraw_answer

pytestmark = pytest.mark.django_db
PAGE = "/me/data/"


@pytest.fixture
def adapter(project, validated_corpus, esi, aroha):
    return make_adapter(make_run(make_release(project, esi), esi), approved_by=aroha)


@pytest.fixture
def page(client, ben):
    client.force_login(ben)
    return client


def unpacked(response) -> tuple[dict, str]:
    with zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content))) as archive:
        assert sorted(archive.namelist()) == ["data.json", "index.html"]
        return json.loads(archive.read("data.json")), archive.read("index.html").decode()


def test_the_page_says_what_was_given_and_what_it_is_used_for(page, adapter):
    words = page.get(PAGE).content.decode()
    assert "You gave 4 answers. You checked 8 answers of others." in words
    assert "Train language models, not for profit" in words
    assert "Release 1," in words
    assert "Adapter of run 1, which learnt from release 1" in words
    assert "Receipt of" in words
    assert "Nothing so far." in words


def test_whoever_gave_nothing_reads_so(client, dana):
    client.force_login(dana)
    assert "You gave nothing yet" in client.get(PAGE).content.decode()
    data, _ = unpacked(client.get(f"{PAGE}file/"))
    assert (data["account"][0]["username"], data["answers"]) == ("dana", [])
    client.logout()
    assert client.get(PAGE).status_code == 302


def test_everything_is_taken_back_in_three_screens_and_its_progress_is_shown(page, adapter, community):
    first = page.get(PAGE).content.decode()
    assert 'action="/c/test-otomi/speak/consent/withdraw/"' in first
    purposes = ["display_members", "peer_review", "evaluate_models", "train_noncommercial"]
    second = page.get("/c/test-otomi/speak/consent/withdraw/", {"purposes": purposes})
    assert "Take everything back?" in second.content.decode()
    page.post("/c/test-otomi/speak/consent/withdraw/", {"purposes": purposes})
    words = page.get(PAGE).content.decode()
    assert "You allow nothing here now." in words
    assert words.count("still to do") == 2  # the trace, and the end of the adapter
    assert "at the latest" in words
    assert "marked: nothing trains on it" in words
    follow_withdrawals(now=NOW)
    words = page.get(PAGE).content.decode()
    assert (words.count("still to do"), ">late<" in words) == (1, False)


def test_what_was_taken_back_can_be_erased(page, adapter, ben):
    assert page.get(f"{PAGE}erase/test-otomi/").status_code == 404
    withdraw_answer(answer=Answer.objects.filter(author=ben).first(), author=ben, now=NOW)
    assert "Erase the answer that you took back" in page.get(PAGE).content.decode()
    assert "cannot be undone" in page.get(f"{PAGE}erase/test-otomi/").content.decode()
    told = page.post(f"{PAGE}erase/test-otomi/", follow=True).content.decode()
    assert "1 answer is erased for good." in told
    assert "its files are deleted" in told
    assert Adapter.objects.get().deleted_at
    assert page.get(f"{PAGE}erase/test-otomi/").status_code == 404


def test_the_account_goes_with_the_right_password_alone(page, adapter, ben):
    assert "4 answers are taken back and erased" in page.get(f"{PAGE}erase/").content.decode()
    assert page.post(f"{PAGE}erase/", {"password": ""}).status_code == 422
    assert "not your password" in page.post(f"{PAGE}erase/", {"password": "a guess"}).content.decode()
    assert Person.objects.filter(username="ben").exists()
    sent = page.post(f"{PAGE}erase/", {"password": PASSWORD})
    told = page.get(sent["Location"]).content.decode()
    assert "0 of 4 answers are erased." in told
    assert not Person.objects.filter(username="ben").exists()
    assert page.get(PAGE).status_code == 302
    assert erase_accounts_job() == 4
    assert "Your account and your words are erased." in page.get(sent["Location"]).content.decode()
    assert page.get(f"{sent['Location'][:-4]}xyz/").status_code == 404


def test_the_last_steward_reads_why_not(client, community, aroha):
    client.force_login(aroha)
    refused = client.post(f"{PAGE}erase/", {"password": PASSWORD})
    assert (refused.status_code, "Name another steward first" in refused.content.decode()) == (409, True)


def plant(people: list[Person], mine: Person) -> list[str]:
    """Strings in everything that others wrote, and in their names."""
    canaries = []

    def one() -> str:
        canaries.append(f"zz{uuid4().hex}")
        return canaries[-1]

    for person in people:
        Person.objects.filter(pk=person.pk).update(
            username=one()[:30], display_name=one(), email=f"{one()}@example.org"
        )
    for answer in Answer.objects.exclude(author=mine):
        Answer.objects.filter(pk=answer.pk).update(text=one())
        AnswerEvent.objects.filter(answer=answer).update(text=one(), note=one())
    Review.objects.exclude(reviewer=mine).update(note=one())
    AnswerEvent.objects.filter(answer__author=mine).exclude(actor=mine).update(note=one())
    Adjudication.objects.update(reason=one())
    return [canary[:30] for canary in canaries]


def test_the_file_holds_all_of_mine_and_nothing_of_others(
    page, adapter, ben, filipa, goran, esi, aroha, chen, project, now
):
    tried = request_generation(adapter=adapter, person=ben, source="una frase mía", now=now)
    Explanation.objects.create(generation=tried, words=["una ", "frase ", "mía"], weights=[1, 0, 2], asked_at=now)
    mine = list(Answer.objects.filter(author=ben))
    Review.objects.filter(reviewer=ben).update(note="what I said of it")
    ask_expert(answer=mine[0], steward=aroha, note="A word of hers.", now=now)
    withdraw_answer(answer=mine[1], author=ben, now=now)
    project.tasks.first().remarks.create(author=ben, text="my remark", said_at=now)
    project.tasks.first().remarks.create(author=chen, text="zzremark of another", said_at=now)
    others = [*plant([filipa, goran, esi, aroha, chen], ben), "zzremark", "A word of hers."]

    response = page.get(f"{PAGE}file/")
    data, shown = unpacked(response)

    assert response["Content-Disposition"].startswith('attachment; filename="my-data-')
    assert {row["id"] for row in data["answers"]} == {str(answer.pk) for answer in mine}
    assert {row["text"] for row in data["answers"]} == {answer.text for answer in mine}
    used = next(row for row in data["answers"] if row["id"] == str(mine[1].pk))
    assert (used["state"], used["used_in"][0]["adapters"][0]["run"]) == ("withdrawn", 1)
    assert used["used_in"][0]["marked_as_withdrawn_at"]
    assert [row["verdict"] for row in used["verdicts"]] == ["approve", "approve"]
    assert {row["note"] for row in data["reviews_given"]} == {"what I said of it"}
    assert data["consents"][0]["signed_receipt"]["signature"]["algorithm"].startswith("Ed25519")
    assert (data["remarks"][0]["text"], data["tried"][0]["asked"]) == ("my remark", "una frase mía")
    assert (data["tried"][0]["words"], data["tried"][0]["weights"]) == (["una ", "frase ", "mía"], [1, 0, 2])
    assert [row["scope"] for row in data["withdrawals"]] == ["item"]
    assert {row["what"] for row in data["record"]} >= {"consent.given", "answer.withdrawn"}
    for text in (json.dumps(data, ensure_ascii=False), shown):
        assert not [one for one in others if one in text]
    assert mine[0].text in shown
    assert '<html lang="en-gb" dir="ltr">' in shown
    assert "models that learnt from it" in shown
    assert "<script" not in shown
    assert "src=" not in shown


def test_stewards_read_what_is_due_and_delete_an_adapter(client, adapter, aroha, ben, esi, community):
    desk = "/c/test-otomi/steward/withdrawals/"
    client.force_login(aroha)
    assert "Nobody has taken anything back." in client.get(desk).content.decode()
    withdraw_answer(answer=Answer.objects.filter(author=ben).first(), author=ben, now=NOW)
    follow_withdrawals(now=NOW)
    assert "One withdrawal is not done" in client.get("/c/test-otomi/steward/").content.decode()
    words = client.get(desk).content.decode()
    assert "1 sentence it learnt from was taken back." in words
    assert "What was made from it: 3 things" in words
    assert ">ben<" not in words
    assert (
        "1 sentence it learnt from was taken back."
        in client.get(f"/c/test-otomi/steward/adapters/{adapter.pk}/").content.decode()
    )
    told = client.post(f"/c/test-otomi/steward/adapters/{adapter.pk}/end/", follow=True).content.decode()
    assert "Deleted." in told
    assert "None that is still here." in told
    follow_withdrawals(now=NOW)
    assert not Withdrawal.objects.unfinished().exists()
    client.force_login(esi)
    assert client.get(desk).status_code == 404
