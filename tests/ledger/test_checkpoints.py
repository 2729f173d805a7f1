"""Checkpoints: signed, at least hourly and after what matters, kept for ever, and good for years."""

import base64
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from care.deciding import close_proposal, decide_alone, keep_time
from care.models import Proposal
from care.services import publish_policy
from ledger.checkpoints import check_chain, checkpoint_now, export_lines, newest_checkpoint, signer_of
from ledger.jobs import make_checkpoints_job
from ledger.models import Checkpoint, Entry
from ledger.services import append_entry
from ledger.verify import Broken, Tree, verify
from tests.care.deciding import adopt, make_stewards, opened, voted
from tests.conftest import TRAINING
from tests.guards.tree import ROOT
from tests.ledger.made import as_owner
from training.releases.services import freeze_release
from training.runs.services import decide_adapter
from training.runs.withdrawals import change_consent, withdraw_answer, withdraw_consent
from wordhearth import settings as site
from wordhearth.benches.ledger import made_chain

GOLDEN = ROOT / "tests" / "ledger" / "golden"


def append(now, community="one"):
    return append_entry(action="project.opened", subject="project:1", community=community, now=now)


def test_a_checkpoint_is_over_all_entries_and_only_made_when_there_is_news(db, now):
    assert checkpoint_now(community="one", now=now) is None
    tree = Tree()
    for size in range(1, 12):
        tree.add(append(now).sha256)
        made = checkpoint_now(community="one", now=now)
        assert (made.size, made.note.split("\n")[2]) == (size, base64.b64encode(tree.root()).decode())
    assert checkpoint_now(community="one", now=now) == newest_checkpoint("one") == made
    assert check_chain("one").checkpoints == list(range(1, 12))


def test_the_job_signs_every_chain_with_news(db, now):
    for name in ("one", "two", ""):
        append(now, name)
    assert make_checkpoints_job() == 3
    append(now, "two")
    assert make_checkpoints_job() == 1
    assert make_checkpoints_job() == 0
    assert [row.size for row in Checkpoint.objects.filter(community="two").order_by("size")] == [1, 2]


def test_the_job_comes_at_least_once_an_hour():
    beat = site.CELERY_BEAT_SCHEDULE["make-checkpoints"]
    assert beat["task"] == make_checkpoints_job.name
    assert beat["schedule"] <= 3600


def test_withdrawals_releases_and_decisions_are_signed_as_soon_as_they_are_committed(
    validated_corpus, project, policy, community, aroha, esi, ben, filipa, django_capture_on_commit_callbacks, now
):
    from tests.frontend.made import make_adapter, make_run

    release = freeze_release(project=project, purpose="train_noncommercial", created_by=esi, now=now)[0]
    adapter = make_adapter(make_run(release, esi))
    acts = [
        lambda: decide_adapter(adapter=adapter, approve=False, decided_by=aroha, note="a reason", now=now),
        lambda: withdraw_answer(answer=validated_corpus[0], author=validated_corpus[0].author, now=now),
        lambda: freeze_release(project=project, purpose="train_noncommercial", created_by=esi, now=now, note="2"),
        lambda: withdraw_consent(person=ben, community=community, purposes=["train_noncommercial"], now=now),
        lambda: change_consent(person=filipa, policy=policy, purposes=["display_members", "peer_review"], now=now),
    ]
    for act in acts:
        before = Entry.objects.count()
        with django_capture_on_commit_callbacks(execute=True):
            act()
        assert Entry.objects.count() == before + 1
        assert newest_checkpoint(community.slug).size == before + 1


def test_what_a_community_decides_and_publishes_is_signed_as_soon_as_it_is_committed(
    community, aroha, django_capture_on_commit_callbacks, now
):
    stewards = [aroha, *make_stewards(community)]
    who = {"community": community, "now": now}

    def publish():
        publish_policy(**who, text="New.", waiver="ñäʼ", purposes=TRAINING, published_by=aroha)

    def alone():
        decide_alone(**who, matter="adapter", subject="adapter:1", decided_by=aroha)

    def counted():
        proposal = Proposal.objects.open().get()
        close_proposal(proposal=proposal, now=proposal.closes_at)

    def voted_on(subject, choice="for"):
        voted(opened(community, aroha, subject=subject), stewards, choice)

    def is_signed(act, **more):
        with django_capture_on_commit_callbacks(execute=True):
            act(**more)
        return newest_checkpoint(community.slug).size == Entry.objects.count()

    assert is_signed(publish)  # with the decision of one steward that it stands on
    assert is_signed(alone)
    adopt(community, aroha)
    voted_on("adapter:2")
    assert not is_signed(lambda: None)
    assert is_signed(counted)
    voted_on("adapter:3", "against")
    assert is_signed(counted)
    before = Entry.objects.count()
    assert is_signed(keep_time, now=now + timedelta(days=30))
    assert list(Entry.objects.order_by("pk").values_list("action", flat=True)[before:]) == ["decision.in_force"]


def test_a_change_under_a_checkpoint_is_found_even_when_every_hash_is_written_anew(db, now):
    first = append(now)
    checkpoint_now(community="one", now=now)
    with as_owner():
        Entry.objects.all().delete()
        append_entry(action="project.closed", subject="project:1", community="one", now=now)
    with pytest.raises(Broken, match="history was written anew"):
        check_chain("one")
    assert first.sequence == 1


# The key


def test_the_key_can_come_from_the_environment(db, now, settings, tmp_path):
    settings.LEDGER_KEY_FILE = tmp_path / "ledger_key"
    settings.LEDGER_KEY = base64.b64encode(bytes(32)).decode()
    assert signer_of("one").origin == signer_of("one").origin
    append(now)
    assert checkpoint_now(community="one", now=now).note.startswith(signer_of("one").origin)
    assert not settings.LEDGER_KEY_FILE.exists()


# The command


def test_the_command_writes_what_the_verifier_reads(db, now, tmp_path, capsys):
    append_entry(action="project.opened", subject="project:1", community="one", now=now, private={"title": "ñäʼ"})
    file, note = tmp_path / "ledger.jsonl", tmp_path / "checkpoint.txt"
    call_command("export_ledger", str(file), "--checkpoint", str(note), "--community", "one")

    report = verify(file.read_text(encoding="utf-8").splitlines(), [note.read_text(encoding="utf-8")])
    assert (report.entries, report.opened, report.checkpoints) == (1, 1, [1])
    assert "1 entries are under the checkpoint" in capsys.readouterr().out
    call_command("export_ledger", str(file), "--checkpoint", str(note), "--community", "one", "--without-secrets")
    assert "ñäʼ" not in file.read_text(encoding="utf-8")


def test_the_command_says_when_there_is_nothing_to_export(db, tmp_path):
    with pytest.raises(CommandError, match="no entry"):
        call_command("export_ledger", str(tmp_path / "a"), "--checkpoint", str(tmp_path / "b"))


# Old checkpoints


def test_a_checkpoint_that_is_ninety_days_old_agrees_with_the_longer_ledger():
    """Files that this test's own code once made: what they prove must stay provable."""
    note = (GOLDEN / "checkpoint-of-day-1.txt").read_text(encoding="utf-8")
    lines = (GOLDEN / "ledger-of-day-90.jsonl").read_text(encoding="utf-8").splitlines()

    report = verify(lines, [note])
    assert (report.entries, report.checkpoints) == (60, [21])
    with pytest.raises(Broken, match="covers 21 entries"):
        verify(lines[:21], [note])


def test_the_same_entries_still_give_the_same_bytes():
    made = made_chain(size=60, checkpoint_at=21, seed=90)
    assert made.checkpoint == (GOLDEN / "checkpoint-of-day-1.txt").read_text(encoding="utf-8")
    assert "".join(made.lines()) == (GOLDEN / "ledger-of-day-90.jsonl").read_text(encoding="utf-8")


def test_the_moment_is_written_the_same_in_every_time_zone(db, now):
    append(now + timedelta(microseconds=5))
    lines = list(export_lines(community="one", with_secrets=False))
    assert '"at": "2026-03-02T09:00:00.000005+00:00"' in lines[1]
