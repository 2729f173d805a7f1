"""Folders of the embedded servers are checked before use, and their sockets can be trusted."""

import os
from collections import namedtuple
from pathlib import Path

import pytest

from wordhearth.embedded import folders
from wordhearth.embedded.errors import EmbeddedServiceError
from wordhearth.embedded.folders import LONGEST_SOCKET_PATH, prepare, socket_folder, var_folder

NAME = "valkey.sock"


@pytest.fixture
def long(tmp_path):
    """A data folder whose socket would have too long a path."""
    return tmp_path / ("deep/" * 30) / "valkey"


@pytest.fixture
def short(tmp_path, monkeypatch):
    """Where short folders go in this test."""
    monkeypatch.setattr(folders, "SHORT_FOLDERS", tmp_path)
    return tmp_path


def test_without_a_word_everything_is_in_var_of_the_checkout(monkeypatch):
    for given in (None, ""):
        monkeypatch.delenv("WORDHEARTH_VAR", raising=False)
        if given is not None:
            monkeypatch.setenv("WORDHEARTH_VAR", given)
        assert var_folder() == folders.CHECKOUT / "var"
    assert (folders.CHECKOUT / "manage.py").is_file()


def test_a_home_or_relative_folder_is_made_absolute(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for given in ("~/words", "words"):
        monkeypatch.setenv("WORDHEARTH_VAR", given)
        assert var_folder() == tmp_path.resolve() / "words"


def test_settings_and_servers_use_the_same_folder(settings):
    assert var_folder() == settings.VAR_DIR


def test_the_folders_are_made(tmp_path):
    prepare(tmp_path / "new" / "var")
    assert (tmp_path / "new" / "var" / "run").is_dir()


def test_a_folder_that_cannot_be_made_says_what_to_do(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EmbeddedServiceError, match=r"Cannot create .*file/var/run.*WORDHEARTH_VAR"):
        prepare(tmp_path / "file" / "var")


def test_a_folder_that_is_not_writable_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(EmbeddedServiceError, match=r"not writable for you.*WORDHEARTH_VAR"):
        prepare(tmp_path)


def test_a_full_disk_is_refused_before_the_database_is_hurt(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(folders.shutil, "disk_usage", lambda path: usage(10**9, 10**9, 5 * 2**20))
    with pytest.raises(EmbeddedServiceError, match=r"full: 5 MB free, 200 MB needed"):
        prepare(tmp_path)


def test_a_short_path_keeps_the_socket_beside_its_data():
    assert socket_folder(Path("/srv/var/valkey"), NAME) == Path("/srv/var/valkey")


def test_a_long_path_gets_a_short_private_folder(long, short):
    folder = socket_folder(long, NAME)

    assert folder.parent == short
    assert folder.stat().st_mode & 0o777 == 0o700
    assert len(os.fsencode(Path("/tmp") / folder.name / ".s.PGSQL.5432")) <= LONGEST_SOCKET_PATH  # noqa: S108


def test_letters_of_several_bytes_are_counted_as_bytes(short, tmp_path):
    data = tmp_path / ("ñ" * (LONGEST_SOCKET_PATH - len(str(tmp_path)) - len(NAME) - 2))
    assert len(str(data / NAME)) <= LONGEST_SOCKET_PATH < len(os.fsencode(data / NAME))
    assert socket_folder(data, NAME) != data


def test_every_process_comes_to_the_same_short_folder(long, short):
    assert socket_folder(long, NAME) == socket_folder(long, NAME)
    assert socket_folder(long, NAME) != socket_folder(long / "other", NAME)


def test_a_folder_of_somebody_else_is_refused(long, short):
    somebody = os.geteuid() + 1
    folder = socket_folder(long, NAME)
    folder.rename(folder.with_name(folder.name.replace(f"-{os.geteuid()}-", f"-{somebody}-")))

    with pytest.raises(EmbeddedServiceError, match="made by somebody else"):
        socket_folder(long, NAME, owner=somebody)


def test_a_folder_that_others_may_enter_is_refused(long, short):
    socket_folder(long, NAME).chmod(0o755)
    with pytest.raises(EmbeddedServiceError, match="made by somebody else"):
        socket_folder(long, NAME)


def test_a_link_is_not_followed(long, short):
    folder = socket_folder(long, NAME)
    folder.rename(short / "elsewhere")
    folder.symlink_to(short / "elsewhere")
    with pytest.raises(EmbeddedServiceError, match="made by somebody else"):
        socket_folder(long, NAME)
