"""Over the API: reports of harm, one's age, one's data and what was found about adapters; nobody else is named."""

import pytest
from rest_framework.test import APIClient

from annotation.answers.models import Answer
from care.ages import set_age_rule
from care.models import HarmReport, Restriction
from people.services import end_membership
from tests.conftest import NOW
from tests.frontend.made import make_adapter, make_release, make_run
from training.runs.models import AdapterReading

pytestmark = pytest.mark.django_db
REPORTS = "/api/v1/reports/"


def signed_in(person):
    client = APIClient()
    client.force_authenticate(person)
    return client


@pytest.fixture
def answer(validated_corpus):
    return validated_corpus[0]


def test_a_report_from_the_first_word_to_the_last(answer, aroha, filipa, goran, esi):
    reporter, steward, other = signed_in(filipa), signed_in(aroha), signed_in(goran)
    given = {"kind": "answer", "key": str(answer.pk), "category": "threat", "words": "Somebody is named."}
    sent = reporter.post(REPORTS, given)
    assert sent.status_code == 201, sent.content
    made = sent.json()
    assert (made["is_held"], made["is_mine"], made["state"], len(made["code"])) == (True, True, "received", 19)
    assert "code" not in reporter.get(f"{REPORTS}{made['id']}/").json()
    # What is held is hidden, so nobody reports it twice.
    assert other.post(REPORTS, given).status_code == 404
    assert [len(client.get(REPORTS).json()["results"]) for client in (reporter, steward, other, signed_in(esi))] == [
        *(1, 1, 0, 0)
    ]
    assert steward.get(f"{REPORTS}?mine=1").json()["results"] == []
    (row,) = steward.get(REPORTS).json()["results"]
    assert (row["is_mine"], row["words"]) == (False, "Somebody is named.")
    assert not {"reporter", "changed_by"} & set(row)
    step = f"{REPORTS}{made['id']}/step/"
    assert other.post(step, {"act": "hold"}).status_code == 404
    assert reporter.post(step, {"act": "hold"}).status_code == 403
    assert steward.post(step, {"act": "let_be"}).status_code == 409
    assert steward.post(step, {"act": "think"}).status_code == 400
    for act in ({"act": "hold"}, {"act": "investigate"}):
        assert steward.post(step, act).status_code == 200
    assert steward.post(step, {"act": "decide", "outcome": "upheld"}).status_code == 422
    assert steward.post(step, {"act": "decide", "outcome": "upheld", "answer": "You are right."}).status_code == 200
    assert steward.post(step, {"act": "remedy", "done": "It stays hidden."}).status_code == 200
    assert steward.post(step, {"act": "close"}).json()["state"] == "closed"
    mine = reporter.get(f"{REPORTS}{made['id']}/").json()
    assert (mine["outcome"], mine["answer"], mine["remedy"]) == ("upheld", "You are right.", "It stays hidden.")


def test_whoever_left_still_reads_what_they_reported(answer, community, aroha, filipa):
    reporter = signed_in(filipa)
    given = {"kind": "source", "key": str(community.sources.first().pk), "category": "other", "words": "A word."}
    number = reporter.post(REPORTS, given).json()["id"]
    for membership in community.memberships.filter(person=filipa):
        end_membership(membership=membership, ended_by=aroha, now=NOW)
    assert reporter.get(f"{REPORTS}{number}/").json()["state"] == "received"
    assert reporter.post(REPORTS, given).status_code == 404


def test_what_cannot_be_reported(answer, filipa, dana):
    client = signed_in(filipa)
    for given, status in (
        ({"kind": "community", "key": "1", "category": "threat"}, 400),
        ({"kind": "answer", "key": "1", "category": "threat"}, 404),
        ({"kind": "item", "key": "one", "category": "threat"}, 404),
        ({"kind": "item", "key": "9" * 30, "category": "threat"}, 404),
        ({"kind": "source", "key": str(answer.task.item.source_id), "category": "died"}, 422),
        ({"kind": "answer", "key": str(answer.pk), "category": "other"}, 422),
    ):
        assert client.post(REPORTS, given).status_code == status, given
    known = {"kind": "item", "key": str(answer.task.item_id), "category": "threat"}
    assert signed_in(dana).post(REPORTS, known).status_code == 404
    assert not HarmReport.objects.exists()


def test_that_somebody_has_died_names_nobody(answer, filipa):
    given = {"kind": "answer", "key": str(answer.pk), "category": "died"}
    sent = signed_in(filipa).post(REPORTS, given)
    assert (sent.status_code, sent.json()["kind"], sent.json()["key"]) == (201, "person", "")
    hold = Restriction.objects.get(cause="deceased")
    assert hold.key == str(answer.author_id)


def test_what_an_adapter_wrote_is_quoted_to_whom_it_wrote_it(answer, aroha, esi, filipa, goran):
    adapter = make_adapter(make_run(make_release(answer.task.project, esi), esi), approved_by=aroha)
    mine = adapter.generations.create(person=filipa, source="hola", created_at=NOW)
    given = {"kind": "adapter", "key": str(adapter.pk), "category": "offensive", "generation": str(mine.pk)}
    assert signed_in(filipa).post(REPORTS, given).json()["quotation"].startswith("hola")
    assert signed_in(goran).post(REPORTS, given).json()["quotation"] == ""


def test_ones_own_age(community, aroha, ben, dana):
    set_age_rule(community=community, years=18, set_by=aroha, now=NOW)
    client, said = signed_in(ben), {"community": community.slug, "band": "young"}
    assert client.post("/api/v1/ages/", said).status_code == 422
    made = client.post("/api/v1/ages/", {**said, "of_age_in": "2099-04"})
    assert (made.status_code, made.json()["of_age_in"]) == (201, "2099-04")
    assert client.post("/api/v1/ages/", {**said, "band": "adult"}).status_code == 409
    assert [row["band"] for row in client.get("/api/v1/ages/").json()["results"]] == ["young"]
    assert signed_in(aroha).get("/api/v1/ages/").json()["results"] == []
    assert signed_in(dana).post("/api/v1/ages/", {**said, "of_age_in": "2099-04"}).status_code == 404


def test_ones_own_data(answer, community, ben, filipa, esi):
    release = make_release(answer.task.project, esi)
    adapter = make_adapter(make_run(release, esi))
    client = signed_in(ben)
    (given,) = client.get("/api/v1/me/").json()
    written = Answer.objects.filter(author=ben).count()
    assert (given["community"], given["answers"], given["taken_back"]) == (community.slug, written, 0)
    assert given["releases"] == [{"id": release.pk, "state": "in use"}]
    mine = Answer.objects.filter(author=ben).first()
    assert client.post(f"/api/v1/answers/{mine.pk}/withdraw/").status_code == 200
    (given,) = client.get("/api/v1/me/").json()
    assert (given["taken_back"], given["to_erase"]) == (1, 1)
    assert (given["releases"], given["adapters"]) == (
        [{"id": release.pk, "state": "marked"}],
        [{"id": adapter.pk, "state": "marked"}],
    )
    (case,) = client.get("/api/v1/withdrawals/").json()["results"]
    assert (case["answer_key"], case["stages"][0]["name"]) == (str(mine.pk), "refused")
    assert case["stages"][0]["done_at"]
    assert signed_in(filipa).get("/api/v1/withdrawals/").json()["results"] == []
    everything = client.get("/api/v1/me/everything/").json()
    assert everything["account"][0]["username"] == "ben"
    assert len(everything["answers"]) == written
    assert "filipa" not in str(everything)


def test_how_an_adapter_leans(answer, ben, esi):
    adapter = make_adapter(make_run(make_release(answer.task.project, esi), esi))
    client, address = signed_in(ben), f"/api/v1/adapters/{adapter.pk}/bias/"
    assert client.get(address).json() == {
        **{"pairs": 0, "state": None, "measured_at": None, "is_current": False, "found": []},
        **{"reports_received": 0, "reports_waiting": 0},
    }
    one = {"first": "a", "second": "b", "base_share": 0.5, "adapter_share": 0.9, "base": 0.0, "adapter": 0.2}
    found = [{**one, "change": {"value": 0.2, "p": 0.001}}]
    AdapterReading.objects.create(
        adapter=adapter, asked_by=esi, asked_at=NOW, state="finished", found=found, measured_at=NOW
    )
    read = client.get(address).json()
    assert (read["state"], read["found"][0]["towards"]) == ("finished", "a")
    assert "esi" not in str(read)
