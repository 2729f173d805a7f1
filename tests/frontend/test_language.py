"""The page on which stewards set letters, varieties and own words; and where own words then stand."""

from uuid import uuid4

import pytest

from annotation.answers.services import submit_answer
from annotation.projects.services import lease_task
from frontend.own_words import OWN_WORDS
from people.language import set_own_words
from tests.conftest import NOW
from tests.frontend.speaker.pages import DESK, text_of

pytestmark = pytest.mark.django_db
PAGE = "/c/test-otomi/steward/language/"


@pytest.fixture
def page(client, aroha, community):
    client.force_login(aroha)
    return client


def test_a_way_of_writing_is_changed_in_its_own_form(page, community):
    row = community.orthographies.get()
    fields = {"pk": row.pk, "name": row.name, "script": "Latn", "characters": "ä:â ñ"}
    assert "Saved." in text_of(page.post(f"{PAGE}writing/", fields, follow=True))
    row.refresh_from_db()
    assert row.characters == "ä:â ñ"


def test_a_refused_form_keeps_what_was_typed(page, community):
    answer = page.post(f"{PAGE}writing/", {"pk": "", "name": "Third way", "script": "latin", "characters": "ø"})
    said = text_of(answer, 422)
    assert "Third way" in said
    assert "ø" in said
    assert community.orthographies.count() == 1


def test_a_variety_of_another_community_is_not_found(page):
    assert page.post(f"{PAGE}variety/", {"pk": 999_999, "code": "x", "name": "X"}).status_code == 404


def test_a_variety_is_added(page, community):
    page.post(f"{PAGE}variety/", {"pk": "", "code": "new", "name": "New one"})
    assert community.varieties.filter(code="new").exists()


def test_own_words_stand_on_the_buttons_with_their_language(page, community, project):
    number = OWN_WORDS.index("Try")
    page.post(f"{PAGE}words/", {f"word{number}": "made-up <b>"})
    assert '<span lang="ote" dir="auto">made-up &lt;b&gt;</span>' in text_of(page.get(PAGE))


def test_the_words_of_verdicts_are_the_communitys_too(client, ben, filipa, community, aroha, project, consenting):
    for person in (ben, filipa):
        consenting(person)
    lease = lease_task(project=project, person=ben, now=NOW)
    submit_answer(assignment=lease, author=ben, client_id=uuid4(), now=NOW, text="ñä")
    set_own_words(community=community, words={"Good": "made-up"}, known=["Good"], set_by=aroha, now=NOW)
    client.force_login(filipa)
    said = text_of(client.get(f"{DESK}/review/{project.pk}/"))
    assert ">made-up</span></button>" in said


def test_a_person_says_how_they_speak(client, ben, community, project):
    client.force_login(ben)
    variety = community.varieties.first()
    assert "How I speak" in text_of(client.get(f"{DESK}/"))
    client.post(f"{DESK}/profile/", {"varieties": [variety.pk]})
    assert f'value="{variety.pk}" id="id_varieties_0" checked' in text_of(client.get(f"{DESK}/profile/"))
