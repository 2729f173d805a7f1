"""How peers settle answers is for the community to say, and for a project of its own."""

import pytest

from annotation.projects.services import rule_of, set_review_rule
from people.refusals import Invalid, NotAllowed
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
THREE = {"concordant": 3, "most": 5, "unsure_limit": 3}


def test_a_project_follows_its_community_until_it_says_otherwise(project, community, aroha):
    set_review_rule(community=community, votes=THREE, changed_by=aroha, now=NOW)
    project.refresh_from_db()
    assert rule_of(project).votes.as_mapping() == THREE
    one = {"concordant": 1, "most": 1, "unsure_limit": 1, "guard": False}
    set_review_rule(community=community, project=project, votes=one, changed_by=aroha, now=NOW)
    assert (rule_of(project).votes.concordant, rule_of(project).guard) == (1, False)
    set_review_rule(community=community, project=project, votes={"guard": True}, changed_by=aroha, now=NOW)
    assert (rule_of(project).votes.concordant, rule_of(project).guard) == (3, True)


@pytest.mark.parametrize("votes", [{"concordant": 3, "most": 2}, {"concordant": 0}, {"stop": "total"}, {"guard": True}])
def test_a_rule_that_cannot_be_is_refused(community, aroha, votes):
    with pytest.raises(Invalid):
        set_review_rule(community=community, votes=votes, changed_by=aroha, now=NOW)


def test_only_stewards_set_it(community, ben, project):
    with pytest.raises(NotAllowed):
        set_review_rule(community=community, votes=THREE, changed_by=ben, now=NOW)


def test_the_page_says_it_in_words_before_it_is_set(client, community, aroha):
    client.force_login(aroha)
    page = "/c/test-otomi/steward/rule/"
    assert "Two people who agree settle it" in client.get(page).content.decode()
    said = client.post(page, {**THREE, "say": "1"}).content.decode()
    assert "Three people who agree settle it" in said
    community.refresh_from_db()
    assert community.review_rule == {}
    assert "The rule is set." in client.post(page, THREE, follow=True).content.decode()
    wrong = client.post(page, {"concordant": 5, "most": 2, "unsure_limit": 3})
    assert wrong.status_code == 422
    assert "most must be at least" in wrong.content.decode()


def test_a_project_may_have_its_own_and_give_it_up(client, aroha, project, community):
    client.force_login(aroha)
    page = f"/c/test-otomi/steward/projects/{project.pk}/rule/"
    own = {"concordant": 1, "most": 1, "unsure_limit": 1, "is_own": "on"}
    said = client.post(page, {**own, "say": "1"}).content.decode()
    assert "The first verdict settles it" in said
    assert "All votes count alike" in said
    client.post(page, own)
    project.refresh_from_db()
    assert project.rule["concordant"] == 1
    client.post(page, {**own, "is_own": "", "guard": "on"})
    project.refresh_from_db()
    assert "concordant" not in project.rule
    assert project.rule["guard"] is True
