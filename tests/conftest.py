"""Services and the cast: Aroha (steward), Ben, Filipa and Goran (speakers), Chen (expert), Esi (researcher),
and Dana, who has an account but no role here."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_django
from django.db import connections
from django.db.backends.postgresql.operations import DatabaseOperations
from django.utils import translation
from pytest_django.plugin import blocking_manager_key

from annotation.answers.models import Answer, Review
from annotation.answers.reviews import review_answer
from annotation.answers.services import submit_answer
from annotation.corpora.models import Source
from annotation.corpora.services import import_upload
from annotation.projects.models import Project
from annotation.projects.services import lease_task, open_project
from care.models import Policy, Purpose, Receipt
from care.services import give_consent, publish_policy
from people.models import Community, Person, Role
from people.services import found_community, grant_role
from people.tenants import every_community
from tests.answering import until_answered
from tests.common import COMMON, ORDER, in_turn, is_transactional, kept, kept_by
from tests.forking import recipes_are_forked
from tests.migrated import migrated_once
from tests.stored import store_answer, store_approvals

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PASSWORD = "a long pass phrase"
TRAINING = [
    Purpose.DISPLAY_MEMBERS,
    Purpose.PEER_REVIEW,
    Purpose.EVALUATE_MODELS,
    Purpose.TRAIN_NONCOMMERCIAL,
]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first, so that no process is left alone with a long one at the end. In a file, those that
    begin with the same rows follow each other."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}

    def order(item: pytest.Item) -> tuple[Any, ...]:
        turn = [ORDER[build] for _, build in in_turn(kept_by(item))]
        return item.path not in slow, item.path, is_transactional(item), turn

    items.sort(key=order)


def pytest_collection_finish() -> None:
    """What is imported by now stays to the end, and Python need not look through it for garbage again and again: a
    sixth of the time of tests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """What tests have in common is taken back where it was made: a browser that starts for the next file brings an
    event loop, with which the connection is another one."""
    yield
    if nextitem is None or is_transactional(nextitem):
        with item.config.stash[blocking_manager_key].unblock():
            COMMON.leave()


@pytest.fixture
def common(
    request: pytest.FixtureRequest, _files_go_elsewhere: None, django_db_blocker: pytest_django.DjangoDbBlocker
) -> dict[str, Any]:
    """The rows of the kept fixtures that the test asks for, made before its own transaction begins."""
    needs_database = request.node.get_closest_marker("django_db") or "db" in request.fixturenames
    if not needs_database or is_transactional(request.node):
        return {}
    request.getfixturevalue("django_db_setup")
    with django_db_blocker.unblock():
        return COMMON.of(kept_by(request.node))


@pytest.fixture(autouse=True, scope="session")
def _tests_look_at_every_community() -> Iterator[None]:
    """What a test does by itself, it does for the house; a request of its client reaches what its reader's would."""
    with every_community():
        yield


@pytest.fixture(autouse=True)
def _django_db_marker(request: pytest.FixtureRequest, common: dict[str, Any]) -> None:
    """As pytest-django has it, but after what tests have in common: a test's transaction begins inside that one."""
    if request.node.get_closest_marker("django_db"):
        request.getfixturevalue("_django_db_helper")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, django_db_blocker: pytest_django.DjangoDbBlocker
) -> None:
    """What tests commit need not outlive a power cut, so nobody waits for the disk; and all are copies of one."""
    settings = connections["default"].settings_dict
    settings.setdefault("OPTIONS", {})["options"] = "-c synchronous_commit=off"
    with django_db_blocker.unblock():
        settings["TEST"]["TEMPLATE"] = migrated_once()


@pytest.fixture(autouse=True)
def _files_go_elsewhere(settings: Any, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Releases, runs and models of a test live in its own folder."""
    settings.RELEASES_DIR = tmp_path / "releases"
    settings.RUNS_DIR = tmp_path / "runs"
    settings.MODELS_DIR = tmp_path / "models"
    settings.ERASURES_FILE = tmp_path / "erasures.jsonl"
    # One for all, since what tests have in common is signed and sealed with it.
    settings.LEDGER_KEY_FILE = tmp_path_factory.getbasetemp() / "ledger_key"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    memory = "django.core.cache.backends.locmem.LocMemCache"
    settings.CACHES = {"default": {"BACKEND": memory, "LOCATION": str(tmp_path)}}
    # Every client begins by looking through all static files, though most ask for none.
    settings.WHITENOISE_AUTOREFRESH = True
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


@pytest.fixture(autouse=True, scope="session")
def _tables_are_emptied_by_deleting() -> Iterator[None]:
    """Tests with transactions of their own empty all tables in the end, the ledger's too.

    Deleting a few rows takes a tenth of the time of TRUNCATE, which makes new files for every table. What refers to
    them is checked when all are gone. Only their owner can bring this about in tables that only grow. What migrating
    leaves behind stays, so that it need not be made anew each time.
    """
    growing = ("ledger_entry", "ledger_checkpoint", "care_proposalevent", "care_erasure", "rewards_point")
    staying = {"django_content_type", "auth_permission", "django_site"}
    off = [f"ALTER TABLE {name} DISABLE TRIGGER USER" for name in growing]
    on = [f"ALTER TABLE {name} ENABLE TRIGGER USER" for name in growing]
    first = ["GRANT DELETE ON ledger_entry, ledger_checkpoint TO CURRENT_USER", *off]
    last = ["REVOKE DELETE ON ledger_entry, ledger_checkpoint FROM CURRENT_USER", *on]

    def deleting(_: Any, __: Any, tables: Iterable[str], **___: Any) -> list[str]:
        # What a closed page had asked for just before is still being answered, and holds rows of these tables.
        until_answered()
        emptied = [f'DELETE FROM "{name}"' for name in tables if name not in staying]  # noqa: S608 - our own tables
        return [*first, *emptied, "SET CONSTRAINTS ALL IMMEDIATE", *last]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", deleting)
        patch.setattr("django.core.management.commands.flush.emit_post_migrate_signal", lambda *_, **__: None)
        yield


@pytest.fixture(autouse=True, scope="session")
def _recipes_start_at_once() -> Iterator[None]:
    """Every process of a recipe would import torch anew."""
    with recipes_are_forked():
        yield


@pytest.fixture(autouse=True)
def _the_next_test_is_in_english() -> Iterator[None]:
    """A request leaves its language with the thread."""
    yield
    translation.deactivate()


@pytest.fixture
def now() -> datetime:
    """A fixed moment: services take the time as an argument."""
    return NOW


def make_person(username: str) -> Person:
    """An account with the shared test password."""
    return Person.objects.create_user(username=username, password=PASSWORD)


@kept
def aroha() -> Person:
    """The steward."""
    return make_person("aroha")


@kept
def community(aroha: Person) -> Community:
    """A community with two varieties and one orthography, founded by Aroha."""
    return found_community(
        founder=aroha,
        now=NOW,
        slug="test-otomi",
        name="Test community",
        language_name="Otomí",
        language_tag="ote",
        iso_639_3="ote",
        glottocode="mezq1235",
        script="Latn",
        varieties=[
            {"code": "ote", "name": "Mezquital", "iso_639_3": "ote"},
            {"code": "ots", "name": "Estado de México", "iso_639_3": "ots"},
        ],
        orthographies=[{"name": "Norma", "characters": "ä ñ ʼ ̱ ̠"}],
    )


def _member(username: str, community: Community, role: Role) -> Person:
    person = make_person(username)
    grant_role(person=person, community=community, role=role, granted_by=person, now=NOW)
    return person


@kept
def ben(community: Community) -> Person:
    """A speaker."""
    return _member("ben", community, Role.SPEAKER)


@kept
def filipa(community: Community) -> Person:
    """A second speaker."""
    return _member("filipa", community, Role.SPEAKER)


@kept
def goran(community: Community) -> Person:
    """A third speaker."""
    return _member("goran", community, Role.SPEAKER)


@kept
def policy(community: Community, aroha: Person) -> Policy:
    """A published policy that offers every purpose."""
    return publish_policy(
        waiver="ñäʼ",
        community=community,
        text="How your words are used.",
        purposes=list(Purpose.values),
        published_by=aroha,
        now=NOW,
    )


@pytest.fixture
def consenting(policy: Policy) -> Callable[..., Receipt]:
    """consenting(person, purposes=...) gives consent to the published policy."""

    def give(person: Person, purposes: list[str] | None = None) -> Receipt:
        return give_consent(person=person, policy=policy, purposes=purposes or TRAINING, now=NOW)

    return give


@kept
def sources(community: Community, aroha: Person) -> list[Source]:
    """Three documents of four numbered sentences each, made up for tests."""
    lines = "".join(
        f"frase {number} del texto {document}\t{document}\n" for document in ("A", "B", "C") for number in range(1, 5)
    )
    import_upload(
        community=community,
        imported_by=aroha,
        name="test.tsv",
        content=f"text\tdocument\n{lines}".encode(),
        licence="CC0",
        title="Test",
        language_tag="es",
        now=NOW,
    )
    return list(community.sources.all())


@kept
def project(community: Community, aroha: Person, sources: list[Source]) -> Project:
    """A translation project over the three documents."""
    return open_project(
        community=community,
        created_by=aroha,
        sources=sources,
        now=NOW,
        title="Test project",
        source_language_name="Spanish",
        source_language_tag="es",
        orthography=community.orthographies.first(),
    )


@pytest.fixture
def answered(project: Project) -> Callable[..., Answer]:
    """answered(person, text) leases the person's next task and submits a translation of it."""

    def submit(person: Person, text: str = "") -> Answer:
        lease = lease_task(project=project, person=person, now=NOW)
        return submit_answer(
            assignment=lease,
            author=person,
            client_id=uuid4(),
            now=NOW,
            text=text or f"traducción {lease.task_id} ñäʼ",
        )

    return submit


@pytest.fixture
def verdict() -> Callable[..., Review]:
    """verdict(answer, reviewer, "approve", **more) gives one verdict on the answer's current version."""

    def give(answer: Answer, reviewer: Person, word: str = "approve", **more: Any) -> Review:
        return review_answer(
            answer=answer,
            reviewer=reviewer,
            verdict=word,
            version=answer.version,
            client_id=uuid4(),
            now=NOW,
            **more,
        )

    return give


@kept
def validated_corpus(
    policy: Policy, project: Project, sources: list[Source], ben: Person, filipa: Person, goran: Person
) -> list[Answer]:
    """Twelve validated answers: each speaker translated one document, the other two approved.

    Stored at once and settled by the rule (`tests.stored`): half of all tests stand on this corpus.
    """
    speakers = [ben, filipa, goran]
    for speaker in speakers:
        give_consent(person=speaker, policy=policy, purposes=TRAINING, now=NOW)
    documents = [list(project.tasks.filter(item__source=source).order_by("item__position")) for source in sources]
    answers = [
        store_answer(document[number], speaker, text=f"traducción {document[number].pk} ñäʼ", now=NOW)
        for number in range(4)
        for document, speaker in zip(documents, speakers, strict=True)
    ]
    store_approvals(answers, speakers, now=NOW)
    settled = Answer.objects.in_bulk([answer.pk for answer in answers])
    return [settled[answer.pk] for answer in answers]


# Last, so that those who come and go take nothing of the corpus with them.
@kept
def chen(community: Community) -> Person:
    """The expert."""
    return _member("chen", community, Role.EXPERT)


@kept
def esi(community: Community) -> Person:
    """The researcher."""
    return _member("esi", community, Role.RESEARCHER)


@kept
def dana() -> Person:
    """An outsider with an account."""
    return make_person("dana")
