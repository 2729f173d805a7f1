"""What the database asks of the rows that enter a release: of all rows of a statement at once, and whatever is done to
them at the same moment."""

import threading

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction

from annotation.answers.models import Answer
from care.models import Grant, Purpose
from people.tenants import every_community
from training.releases.models import Release, ReleaseItem
from training.releases.services import freeze_release

PURPOSE = Purpose.TRAIN_NONCOMMERCIAL
COPY = """
INSERT INTO releases_releaseitem (release_id, answer_id, receipt_id, split, row_sha256, is_good)
SELECT %s, answer_id, receipt_id, split, row_sha256, true FROM releases_releaseitem WHERE release_id = %s
"""


@pytest.fixture
def release(project, validated_corpus, esi, now):
    return freeze_release(project=project, purpose=PURPOSE, created_by=esi, now=now)[0]


@pytest.fixture
def empty(release):
    """A second release, that holds nothing yet."""
    return Release.objects.create(
        community=release.community,
        project=release.project,
        number=2,
        purpose=release.purpose,
        sha256="b" * 64,
        folder="beside/0002",
        created_at=release.created_at,
    )


def copy_rows(release, empty):
    with connection.cursor() as cursor:
        cursor.execute(COPY, [empty.pk, release.pk])


def test_rows_that_may_be_used_enter_at_once(release, empty):
    copy_rows(release, empty)
    assert empty.items.count() == release.items.count() == 12


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda answer: Answer.objects.filter(pk=answer.pk).update(state="withdrawn"), "{} is not validated"),
        (lambda answer: Grant.objects.filter(receipt=answer.receipt).update(withdrawn_at=answer.created_at), "consent"),
        (
            lambda answer: Grant.objects.filter(receipt=answer.receipt).update(overtaken_at=answer.created_at),
            "has no live consent for train_noncommercial",
        ),
        (lambda answer: source_of(answer).update(is_machine_made=True), "is about texts that models wrote"),
        (
            lambda answer: Answer.objects.filter(pk=answer.pk).update(receipt=receipt_of_another(answer)),
            "{} was given under another receipt",
        ),
        (
            # Of two people's words one may not be used.
            lambda answer: (
                answer.built_on.add(receipt_of_another(answer)),
                Grant.objects.filter(receipt=receipt_of_another(answer)).delete(),
                ReleaseItem.objects.filter(answer__receipt=receipt_of_another(answer)).delete(),
            ),
            "answer {} has no live consent",
        ),
    ],
)
def test_one_row_among_many_that_may_not_be_used_keeps_all_out(release, empty, ben, spoil, why):
    answer = Answer.objects.filter(author=ben).first()
    spoil(answer)
    with pytest.raises(IntegrityError, match=why.format(answer.pk)), transaction.atomic():
        copy_rows(release, empty)
    assert not empty.items.exists()


def source_of(answer):
    return type(answer.task.item.source).objects.filter(pk=answer.task.item.source_id)


def receipt_of_another(answer):
    return Answer.objects.exclude(author=answer.author_id).order_by("pk").first().receipt


def test_a_row_that_stays_what_it_is_may_be_marked_and_may_not_be_moved(release, empty, ben):
    answer = Answer.objects.filter(author=ben).first()
    Answer.objects.filter(pk=answer.pk).update(state="withdrawn")
    assert release.items.filter(answer=answer).update(withdrawn_at=release.created_at) == 1
    with pytest.raises(IntegrityError, match="not validated"), transaction.atomic():
        release.items.filter(answer=answer).update(release=empty)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("what", ["the answer", "the grant"])
def test_who_takes_words_back_waits_for_a_release_that_they_are_entering(release, empty, ben, what):
    answer = Answer.objects.filter(author=ben).first()
    with transaction.atomic():
        copy_rows(release, empty)
        (refused,) = beside(lambda: take_back(answer, what), lock_timeout="200ms")
    assert isinstance(refused, OperationalError)
    assert take_back(answer, what) > 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("what", ["the answer", "the grant"])
def test_a_release_waits_for_words_that_are_being_taken_back_and_does_not_hold_them(release, empty, ben, what):
    answer = Answer.objects.filter(author=ben).first()
    with transaction.atomic():
        take_back(answer, what)
        entering, errors = start_beside(lambda: copy_rows(release, empty))
        entering.join(timeout=0.3)
        assert entering.is_alive()
    entering.join()
    (refused,) = errors
    assert isinstance(refused, IntegrityError)
    assert not empty.items.exists()


def take_back(answer, what):
    if what == "the answer":
        return Answer.objects.filter(pk=answer.pk).update(state="withdrawn")
    return Grant.objects.filter(receipt=answer.receipt).update(withdrawn_at=answer.created_at)


def start_beside(act, *, lock_timeout="20s"):
    """Do it in a thread with a connection of its own; the thread, and the errors it will have had."""
    errors = []

    @every_community()
    def work():
        try:
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute("SELECT set_config('lock_timeout', %s, true)", [lock_timeout])
                act()
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    return thread, errors


def beside(act, *, lock_timeout):
    thread, errors = start_beside(act, lock_timeout=lock_timeout)
    thread.join()
    return errors
