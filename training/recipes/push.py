"""A folder that may leave the house, pushed to a model hub.

    HF_HUB_OFFLINE=0 WORDHEARTH_HUB_TOKEN=... python -m training.recipes.push FOLDER OWNER/NAME
        [--endpoint https://huggingface.co]

The folder is what a site has packed for an adapter that may go out: without its PROVENANCE.json nothing is sent. On a
site `manage.py push_export` asks for the decision first, writes the record, and then calls this. The repository is made
private, if it is not there yet: whether everybody may see it is decided on the hub, by whoever answers for it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from httpx2 import HTTPError
from huggingface_hub import HfApi, is_offline_mode

TOKEN = "WORDHEARTH_HUB_TOKEN"  # noqa: S105 - the variable's name
HUB = "https://huggingface.co"


class CannotPush(RuntimeError):
    """Nothing was sent; the message says why."""


def push(folder: Path, repository: str, *, token: str, endpoint: str = HUB) -> str:
    """Send the folder as one commit; the commit's address. Raises CannotPush."""
    if not token:
        raise CannotPush(f"There is no token: set {TOKEN}.")
    if is_offline_mode():
        raise CannotPush("Nothing here asks the network unless it is told to: set HF_HUB_OFFLINE=0.")
    if not (folder / "PROVENANCE.json").is_file():
        raise CannotPush(f"{folder} has no PROVENANCE.json: only what the site has packed is pushed.")
    about = json.loads((folder / "PROVENANCE.json").read_text(encoding="utf-8"))
    api = HfApi(endpoint=endpoint, token=token)
    try:
        api.create_repo(repository, private=True, exist_ok=True)
        message = f"Adapter {about['adapter_sha256'][:12]} as {about['form']}"
        return str(api.upload_folder(repo_id=repository, folder_path=folder, commit_message=message).commit_url)
    except (HTTPError, ValueError, OSError) as error:
        # A name that no repository can have is a ValueError there.
        raise CannotPush(f"The hub did not take it: {error}") from error


def main() -> int:
    """Command line; the commit's address on the last line."""
    parser = argparse.ArgumentParser(description="Push a packed adapter to a model hub.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("repository")
    parser.add_argument("--endpoint", default=HUB)
    given = parser.parse_args()
    token = os.environ.get("WORDHEARTH_HUB_TOKEN", "")
    try:
        print(push(given.folder, given.repository, token=token, endpoint=given.endpoint))  # noqa: T201
    except CannotPush as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
