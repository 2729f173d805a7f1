"""What became of a community's words: in numbers, for its members and, where it is open, for anybody."""

from datetime import timedelta

import pytest

from annotation.answers.models import Answer
from care.models import Purpose
from people.models import Community
from tests.conftest import NOW
from tests.frontend.made import make_adapter, make_release, make_run
from training.runs.withdrawals import withdraw_answer, withdraw_consent

pytestmark = pytest.mark.django_db
PAGE = "/c/test-otomi/transparency/"


def text_of(client, status=200):
    response = client.get(PAGE)
    assert response.status_code == status
    return " ".join(response.content.decode().split())


def test_an_empty_community_says_so(client, community, ben):
    client.force_login(ben)
    said = text_of(client)
    assert "Nothing yet." in said
    assert "Nothing was frozen for any use." in said


def test_it_counts_what_was_written_used_decided_and_taken_back(client, validated_corpus, community, esi, aroha, ben):
    release = make_release(validated_corpus[0].task.project, esi)
    make_adapter(make_run(release, esi), approved_by=aroha)
    client.force_login(ben)
    said = text_of(client)
    for words in (
        "<dt>answers</dt><dd>12</dd>",
        "<dt>people who wrote</dt><dd>3</dd>",
        '<th scope="row">March 2026</th><td>12',
        str(Purpose(release.purpose).label),
        "A model was trained 1 time",
        '<span class="badge good">in use</span>',
        "<dt>frozen collections that it reached</dt><dd>0</dd>",
    ):
        assert words in said, words

    mine = next(answer for answer in validated_corpus if answer.author == ben)
    withdraw_answer(answer=mine, author=ben, now=mine.created_at)
    withdraw_consent(person=ben, community=community, purposes=[release.purpose], now=mine.created_at)
    said = text_of(client)
    assert "<dt>answers</dt><dd>11</dd>" in said
    assert "<dt>answers</dt><dd>1</dd>" in said
    assert "<dt>uses that somebody had allowed</dt><dd>1</dd>" in said
    assert "<dt>models that it reached</dt><dd>1</dd>" in said
    assert "words were taken back" in said
    assert "in use</span>" not in said


def test_it_names_nobody_and_shows_no_words(client, validated_corpus, community, esi):
    make_release(validated_corpus[0].task.project, esi)
    Community.objects.filter(pk=community.pk).update(is_open=True)
    said = text_of(client)
    for secret in ("ben", "filipa", "goran", "esi", "aroha", "traducción", "frase"):
        assert secret not in said, secret


def test_a_month_of_few_tells_nothing_of_any_of_them(client, validated_corpus, ben, filipa, goran):
    april = {"created_at": NOW + timedelta(days=31)}
    Answer.objects.filter(author=goran).update(**april)
    client.force_login(ben)
    said = text_of(client)
    assert '<th scope="row">April 2026</th><td colspan="2" class="muted">Fewer than three people wrote</td>' in said
    assert '<th scope="row">March 2026</th><td colspan="2"' in said
    Answer.objects.update(**april)
    assert '<th scope="row">April 2026</th><td>12' in text_of(client)


def test_a_closed_community_is_closed_here_too(client, community, dana):
    assert client.get(PAGE).status_code == 302
    client.force_login(dana)
    text_of(client, 404)
    Community.objects.filter(pk=community.pk).update(is_open=True)
    assert "Read the decisions" not in text_of(client)
