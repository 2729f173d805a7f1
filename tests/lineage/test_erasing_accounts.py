"""An account is gone at once, and a job erases its words: some at a time, twice if need be, and after a restore."""

import pytest
from rest_framework.authtoken.models import Token

from annotation.answers.models import Answer
from care.models import AccountErasure, Erasure, Purpose, Withdrawal
from ledger.checkpoints import check_chain
from ledger.models import Entry
from people.models import Role
from people.services import grant_role
from tests.conftest import NOW, PASSWORD
from tests.frontend.made import make_adapter, make_release, make_run
from training.lineage import erasing
from training.lineage.erasing import begin_erasure, finish_erasure, replay_erasures
from training.lineage.jobs import erase_accounts_job
from wordhearth.leftovers import found_in_database

pytestmark = pytest.mark.django_db


@pytest.fixture
def adapter(project, validated_corpus, esi, aroha):
    return make_adapter(make_run(make_release(project, esi), esi), approved_by=aroha)


def texts_of(person):
    return list(Answer.objects.filter(author=person).exclude(text="").values_list("text", flat=True))


def test_at_once_nothing_is_shown_or_used_any_more(client, adapter, ben, aroha, community):
    Token.objects.create(user=ben)
    client.force_login(ben)
    words, name = texts_of(ben), ben.username
    begun = begin_erasure(person=ben, now=NOW)

    assert client.get("/me/data/").status_code == 302
    assert not client.login(username="ben", password=PASSWORD)
    ben.refresh_from_db()
    assert (ben.is_active, ben.username) == (False, f"erased-{ben.pk}")
    assert not Token.objects.filter(user=ben).exists()
    assert (begun.answers, begun.erased, begun.finished_at) == (4, 0, None)
    adapter.refresh_from_db()
    assert not adapter.is_usable
    for purpose in Purpose.values:
        assert not Answer.objects.filter(author=ben).eligible_for(purpose).exists()
    for role in Role.values:
        grant_role(person=aroha, community=community, role=role, granted_by=aroha, now=NOW)
    client.force_login(aroha)
    project, slug = adapter.run.release.project_id, community.slug
    for page in (f"/c/{slug}/train/dataset/", f"/c/{slug}/decide/", f"/c/{slug}/steward/members/", "/api/v1/answers/"):
        said = client.get(page)
        assert said.status_code == 200, page
        assert not [one for one in [*words, f">{name}<"] if one in said.content.decode()], page
    assert client.get(f"/c/{slug}/steward/projects/{project}/").status_code == 200
    assert {stage.name for stage in Withdrawal.objects.get().stages.waiting()} >= {"erased"}


def test_a_job_that_is_stopped_goes_on_where_it_was(adapter, ben, monkeypatch):
    monkeypatch.setattr(erasing, "AT_A_TIME", 3)
    words = texts_of(ben)
    begun = begin_erasure(person=ben, now=NOW)
    forget, calls = erasing.forget_answers, []

    def fail(answers, *, now):
        calls.append(answers)
        if len(calls) == 2:
            raise OSError("no space left")
        forget(answers, now=now)

    monkeypatch.setattr(erasing, "forget_answers", fail)
    with pytest.raises(OSError, match="no space"):
        erase_accounts_job()
    begun.refresh_from_db()
    assert (begun.erased, begun.finished_at) == (3, None)
    assert len(texts_of(ben)) == 1
    assert erase_accounts_job() == 1
    assert erase_accounts_job() == 0
    assert finish_erasure(erasure=begun, now=NOW) == 0
    begun.refresh_from_db()
    assert (begun.erased, begun.finished_at is not None) == (4, True)
    assert found_in_database(words) == []
    assert not Withdrawal.objects.get().stages.waiting("erased").exists()
    assert Entry.objects.filter(action="person.erased").count() == 1
    check_chain(adapter.community.slug)


def test_asking_twice_is_asking_once(adapter, ben):
    begin_erasure(person=ben, now=NOW)
    begin_erasure(person=ben, now=NOW)
    assert AccountErasure.objects.get().answers == 4
    assert Erasure.objects.filter(kind="person").count() == 1
    assert erase_accounts_job() == 4


def test_a_backup_from_the_middle_is_finished_before_anybody_is_served(adapter, ben):
    words = texts_of(ben)
    begin_erasure(person=ben, now=NOW)
    assert replay_erasures(now=NOW).failed == []
    assert found_in_database(words) == []
    assert AccountErasure.objects.get().finished_at
