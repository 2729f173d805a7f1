"""The game's page says what was earned and why; the impact page says what became of one's words."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from annotation.projects.models import Project
from annotation.rewards.services import score_changes
from people.models import Community, Person
from tests.conftest import NOW
from tests.frontend.made import make_adapter, make_release, make_run
from tests.frontend.speaker.pages import DESK, text_of
from training.runs.schedule import set_schedule

pytestmark = pytest.mark.django_db


def test_before_the_first_sentence_the_pages_invite(bens: Client) -> None:
    text = text_of(bens.get(f"{DESK}/play/"))
    assert "Nobody stands here yet." in text
    assert "grown to step 0 of 5" in text
    assert "Not yet" in text_of(bens.get(f"{DESK}/impact/"))


def test_points_boards_and_the_goal_of_all(
    bens: Client, validated_corpus: Any, project: Project, aroha: Person, community: Community
) -> None:
    set_schedule(project=project, is_allowed=True, minimum_new_items=20, cadence_hours=24, changed_by=aroha, now=NOW)
    score_changes(now=NOW)
    text = text_of(bens.get(f"{DESK}/play/?period=all"))
    assert "8 more validated sentences until the next model." in text
    assert text.count('class="mine"') == 2
    assert "grown to step 1 of 5" in text


def test_hiding_takes_a_person_off_every_board_for_others_too(
    bens: Client, filipas: Client, validated_corpus: Any
) -> None:
    score_changes(now=NOW)
    assert "ben" in text_of(filipas.get(f"{DESK}/play/?period=all"))
    bens.post(f"{DESK}/play/", {"is_hidden": "on", "companion_name": "Chispa"})
    page = text_of(filipas.get(f"{DESK}/play/?period=all"))
    assert "<td>ben" not in page
    assert "Chispa" in text_of(bens.get(f"{DESK}/play/"))


def test_a_name_that_is_too_long_is_refused_and_kept(bens: Client) -> None:
    text = text_of(bens.post(f"{DESK}/play/", {"companion_name": "x" * 50}), 422)
    assert "x" * 50 in text


def test_the_impact_page_tells_releases_adapters_and_the_change(
    bens: Client, validated_corpus: Any, project: Project, esi: Person, aroha: Person
) -> None:
    make_adapter(make_run(make_release(project, esi), esi), approved_by=aroha)
    text = text_of(bens.get(f"{DESK}/impact/"))
    assert "4 sentences of yours were accepted." in text
    assert "holds <strong>4</strong> of them" in text
    assert "it needs 1.50 bits for each byte, where the base model needs 2.00" in text
