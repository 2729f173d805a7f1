"""The pages speak the language that the reader chose, or else the one their browser asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from annotation.answers.models import Answer
from annotation.corpora.models import Import
from annotation.worded import Worded
from people.models import Community, Person
from people.refusals import Invalid

pytestmark = pytest.mark.django_db


def page(client: Client, path: str = "/about/", **headers: str) -> str:
    return str(client.get(path, headers=headers).content.decode())


class TestWhichLanguage:
    @pytest.mark.parametrize(
        ("asked", "tag"),
        [
            ("fr-CA,fr;q=0.9,en;q=0.5", '<html lang="fr" dir="ltr">'),
            ("es-MX", '<html lang="es" dir="ltr">'),
            ("ar", '<html lang="ar" dir="rtl">'),
            ("en-US", '<html lang="en-gb" dir="ltr">'),
            ("de", '<html lang="en-gb" dir="ltr">'),
        ],
    )
    def test_it_is_the_browsers_when_we_have_it_else_english(self, client: Client, asked: str, tag: str) -> None:
        assert tag in page(client, **{"accept-language": asked})

    def test_a_choice_weighs_more_than_the_browser(self, client: Client) -> None:
        client.post("/language/", {"language": "es"})

        assert "Acerca de Wordhearth" in page(client, **{"accept-language": "fr"})

    def test_choosing_leads_back_to_the_page_without_a_token(self) -> None:
        client = Client(enforce_csrf_checks=True)

        answer = client.post("/language/", {"language": "ar"}, headers={"referer": "http://testserver/about/?a=1"})

        assert answer.status_code == 302
        assert answer["Location"].endswith("/about/?a=1")

    def test_another_site_is_no_place_to_go_back_to(self, client: Client) -> None:
        answer = client.post("/language/", {"language": "ar"}, headers={"referer": "https://elsewhere.example/"})

        assert answer["Location"] == "/"

    def test_a_language_we_do_not_have_changes_nothing(self, client: Client) -> None:
        client.post("/language/", {"language": "xx"})

        assert '<html lang="en-gb"' in page(client)

    def test_every_page_offers_all_of_them_and_marks_the_present_one(self, client: Client) -> None:
        content = page(client, "/accounts/login/", **{"accept-language": "fr"})

        assert all(name in content for name in ("English", "Español", "Français", "العربية"))
        assert 'value="fr" lang="fr" aria-current="true"' in content
        assert content.count('aria-current="true"') == 1

    def test_the_page_that_a_phone_keeps_is_fetched_anew_in_another_language(self, client: Client) -> None:
        workers = {page(client, "/service-worker.js", **{"accept-language": language}) for language in ("fr", "ar")}

        assert len(workers) == 2

    def test_a_first_visit_sets_no_cookie(self, client: Client) -> None:
        page(client)

        assert not client.cookies

    @pytest.mark.parametrize("path", ["/nothing/", "/c/none/speak/"])
    def test_error_pages_speak_it_too(self, client: Client, dana: Person, path: str) -> None:
        client.force_login(dana)

        assert "Aquí no hay nada" in page(client, path, **{"accept-language": "es"})


class TestRefusals:
    def test_a_refusal_is_said_in_the_language_of_whoever_reads_it(self) -> None:
        refusal = Invalid("A packet holds 1 to %(most)s tasks.", field="size", most=1234)

        assert str(refusal) == "A packet holds 1 to 1,234 tasks."
        with translation.override("fr"):
            assert str(refusal) == "Un paquet contient de 1 à 1\N{NO-BREAK SPACE}234 tâches."

    def test_a_pure_error_has_its_english_and_what_it_takes_to_translate_it(self) -> None:
        error = Worded("The file has more than %(most)s lines. Please split it.", most=200_000)

        assert str(error) == "The file has more than 200,000 lines. Please split it."
        assert (error.message % error.values).startswith("The file has more than 200000")

    def test_a_sentence_without_values_may_hold_a_percent_sign(self) -> None:
        assert str(Worded("100 % of it")) == str(Invalid("100 % of it")) == "100 % of it"

    def test_the_answer_form_is_told_why_in_its_language(
        self, client: Client, ben: Person, answered: Callable[..., Answer], consenting: Callable[..., Any]
    ) -> None:
        consenting(ben)
        answer = answered(ben)
        client.force_login(ben)

        told = client.post(
            f"/c/test-otomi/speak/words/{answer.pk}/",
            {"version": 1, "text": " "},
            headers={"accept": "application/json", "accept-language": "es"},
        )

        assert told.json()["message"] == "No se escribió nada."

    def test_lines_of_an_upload_are_told_in_the_readers_language_though_they_were_kept_in_english(
        self, client: Client, community: Community, aroha: Person, sources: list[Any]
    ) -> None:
        record = Import.objects.get()
        record.problems = [
            {
                "line": 3,
                "message": "Not UTF-8 (byte 7). Save the file as UTF-8 and send it again.",
                "template": "Not UTF-8 (byte %(byte)s). Save the file as UTF-8 and send it again.",
                "values": {"byte": 7},
            },
            {"line": 4, "message": "Not a JSON object."},
        ]
        record.save()
        client.force_login(aroha)

        content = page(client, f"/c/test-otomi/steward/corpus/imports/{record.pk}/", **{"accept-language": "es"})

        assert "No es UTF-8 (byte 7)." in content
        assert "No es un objeto JSON." in content
