"""Schedules: what was taken back starts a run, too; a look stores nothing; what did not change is drafted once."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.urls import reverse

from people.refusals import Invalid
from tests.frontend.made import make_release, make_run, report
from training.runs import schedule as schedules
from training.runs.models import Run, Schedule
from training.runs.schedule import check_schedule, look, set_schedule
from training.runs.services import finish_run, queue_run
from training.runs.withdrawals import withdraw_answer
from wordhearth.benches.schedule import judged, measure

HOUR = timedelta(hours=1)


@pytest.fixture
def project(validated_corpus):
    return validated_corpus[0].task.project


@pytest.fixture
def trained(project, esi, now):
    """A finished run on all there is."""
    release = make_release(project, esi)
    finish_run(run=make_run(release, esi), report=report(), now=now)
    return release


def scheduled(project, aroha, now, **more):
    fields = {"is_allowed": True, "minimum_new_items": 500, "cadence_hours": 1, **more}
    return set_schedule(project=project, changed_by=aroha, now=now, **fields)


def test_it_trains_again_when_so_much_of_the_last_release_was_taken_back(
    project, trained, validated_corpus, aroha, now
):
    held = trained.items.count()
    schedule = scheduled(project, aroha, now, withdrawn_percent=15)
    # One of twelve is 8 percent, and two are more than 15.
    withdraw_answer(answer=validated_corpus[0], author=validated_corpus[0].author, now=now)
    found = look(schedule, now=now + 2 * HOUR)
    assert (found.starts, found.withdrawn, found.held) == (False, 1, held)
    assert str(found.outcome) == "0 of 500 new sentences are there."
    withdraw_answer(answer=validated_corpus[1], author=validated_corpus[1].author, now=now)
    assert look(schedule, now=now + 2 * HOUR).starts
    run = check_schedule(schedule_id=schedule.pk, now=now + 2 * HOUR)
    assert run.release.items.count() < held
    assert run.trigger == Run.Trigger.SCHEDULE


def test_without_a_share_nothing_that_is_taken_back_starts_a_run(project, trained, validated_corpus, aroha, now):
    schedule = scheduled(project, aroha, now)
    for answer in validated_corpus[:4]:
        withdraw_answer(answer=answer, author=answer.author, now=now)
    assert not look(schedule, now=now + 2 * HOUR).starts
    with pytest.raises(Invalid, match="from 0 to 100"):
        scheduled(project, aroha, now, withdrawn_percent=101)


def test_a_look_says_the_same_as_the_real_thing_and_starts_and_stores_nothing(project, validated_corpus, aroha, now):
    schedule = scheduled(project, aroha, now, minimum_new_items=12)
    before = Schedule.objects.values().get()
    found = look(schedule, now=now)
    assert (found.starts, found.new, str(found.outcome)) == (True, 12, "A run would start now.")
    assert Schedule.objects.values().get() == before
    assert not Run.objects.exists()
    assert check_schedule(schedule_id=schedule.pk, now=now) is not None
    assert str(look(schedule, now=now).outcome) == "A run is going on."
    schedule.is_allowed = False
    assert str(look(schedule, now=now).outcome) == "Scheduled training is not allowed here."


def test_what_came_out_unchanged_is_not_drafted_again_until_something_is_different(
    project, trained, validated_corpus, aroha, now, monkeypatch
):
    # Rows that are withheld from every release count as new again and again.
    monkeypatch.setattr(schedules, "count_new_items", lambda project: 5)
    drafted = []
    freeze = schedules.freeze_release
    monkeypatch.setattr(schedules, "freeze_release", lambda **about: drafted.append(1) or freeze(**about))
    schedule = scheduled(project, aroha, now, minimum_new_items=1)
    for hours in (2, 3, 4):
        assert check_schedule(schedule_id=schedule.pk, now=now + hours * HOUR) is None
    schedule.refresh_from_db()
    assert (len(drafted), "unchanged" in schedule.last_outcome) == (1, True)
    assert "unchanged" in str(look(schedule, now=now + 5 * HOUR).outcome)
    withdraw_answer(answer=validated_corpus[0], author=validated_corpus[0].author, now=now)
    assert check_schedule(schedule_id=schedule.pk, now=now + 6 * HOUR) is not None


def test_a_grid_is_neither_the_last_run_nor_one_that_is_going_on(project, trained, aroha, esi, now):
    run = queue_run(release=trained, started_by=esi, now=now + HOUR)
    grid = {"community": trained.community, "release": trained, "number": 1, "started_by": esi, "created_at": now}
    Run.objects.filter(pk=run.pk).update(grid=trained.grids.create(**grid))
    found = look(scheduled(project, aroha, now), now=now + 90 * HOUR / 60)
    assert found.last != run
    assert str(found.outcome) == "0 of 500 new sentences are there."


def test_it_is_told_on_the_page_over_the_api_and_by_the_command(project, trained, client, aroha, now, capsys):
    scheduled(project, aroha, now, withdrawn_percent=5)
    client.force_login(aroha)
    page = client.get(reverse("steward:project", args=[project.community.slug, project.pk])).text
    assert "0 of the 12 sentences of the last run were taken back since." in page
    assert "If it looked now: 0 of 500 new sentences are there." in page
    told = client.get(f"/api/v1/projects/{project.pk}/schedule/outlook/").json()
    assert told == {
        "starts": False,
        "outcome": "0 of 500 new sentences are there.",
        "new": 0,
        "withdrawn": 0,
        "held": 12,
    }
    call_command("schedules")
    assert "0 of 500 new sentences are there. (new: 0; taken back: 0 of 12)" in capsys.readouterr().out


@pytest.mark.django_db
def test_the_bench_looks_at_made_up_answers():
    found = measure(300, tasks=50)
    assert (found["held"], found["outcome"]) == (270, "A run would start now.")
    assert "unchanged" in found["outcome_compared"]
    assert found["new"] == 30


@pytest.mark.parametrize(("seconds", "compared", "failures"), [(4.9, 5.0, 0), (5.1, 5.2, 1), (0.1, 5.1, 1)])
def test_the_bench_fails_where_a_look_takes_too_long(seconds, compared, failures):
    facts = {"sizes": {"100000": {"seconds": seconds, "seconds_compared": compared}}}
    assert len(judged(facts)["failures"]) == failures
