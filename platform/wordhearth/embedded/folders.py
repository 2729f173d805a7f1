"""Folders of the embedded servers: checked before use, and short enough for a Unix socket."""

import hashlib
import os
import shutil
import stat
from pathlib import Path

from wordhearth.embedded.errors import EmbeddedServiceError

CHECKOUT = Path(__file__).resolve().parents[3]
# A database that fills the disk stops in the middle of a write, so we refuse earlier.
SMALLEST_FREE_BYTES = 200 * 1024 * 1024
# sun_path holds 108 bytes on Linux and 104 on macOS, its closing zero included.
LONGEST_SOCKET_PATH = 103
# Fixed and not TMPDIR: every process of a checkout must come to the same path.
SHORT_FOLDERS = Path("/tmp")  # noqa: S108 (owner and mode are checked below)


def var_folder() -> Path:
    """Where everything lives that running makes: ``WORDHEARTH_VAR``, by default ``var/`` in the checkout."""
    return Path(os.environ.get("WORDHEARTH_VAR") or CHECKOUT / "var").expanduser().resolve()


def prepare(var: Path) -> None:
    """Create ``var`` and ``var/run``; refuse a folder we cannot write or a disk nearly full."""
    try:
        (var / "run").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EmbeddedServiceError(
            f"Cannot create {var / 'run'} ({error.strerror}). Make the folder writable for you, "
            "or set WORDHEARTH_VAR to a folder that is."
        ) from error
    if not os.access(var / "run", os.W_OK | os.X_OK):
        raise EmbeddedServiceError(
            f"{var} is not writable for you. Change its owner, or set WORDHEARTH_VAR to another folder."
        )
    free = shutil.disk_usage(var).free
    if free < SMALLEST_FREE_BYTES:
        raise EmbeddedServiceError(
            f"The disk of {var} is full: {free // 2**20} MB free, {SMALLEST_FREE_BYTES // 2**20} MB needed. "
            "Free some space, or set WORDHEARTH_VAR to a folder on another disk."
        )


def socket_folder(data: Path, socket_name: str, *, owner: int | None = None) -> Path:
    """The folder for a server's socket: ``data`` itself, or a private short one if the path is too long.

    ``owner`` is the user id the server runs as; ``None`` is the user of this process.
    """
    if len(os.fsencode(data / socket_name)) <= LONGEST_SOCKET_PATH:
        return data
    user = os.geteuid() if owner is None else owner
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    folder = SHORT_FOLDERS / f"wordhearth-{user}-{digest}"
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        pass
    else:
        if owner is not None:
            os.chown(folder, owner, -1)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != user or found.st_mode & 0o077:
        raise EmbeddedServiceError(
            f"{folder} was made by somebody else, so its socket cannot be trusted. Remove it, "
            "or move the checkout to a shorter path."
        )
    return folder
