"""Whether a consent receipt is as it was signed; needs no site and no Django.

    python -m care.verify_receipt FILE [--key BASE64]

With --key the signature must be by this key, which the community's stewards tell; else by the one that the file names,
which says that nothing was changed since, but not by whom it was signed. Exit 0 only if it holds.
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
from pathlib import Path

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def is_whole(content: bytes, key: str = "") -> bool:
    """Whether the signature in the file is by the key (in base64), or else by the one the file names."""
    try:
        given = json.loads(content)
        signature = given["signature"]
        if key and signature["public_key"] != key:
            return False
        public = Ed25519PublicKey.from_public_bytes(base64.b64decode(signature["public_key"], validate=True))
        public.verify(base64.b64decode(signature["value"], validate=True), rfc8785.dumps(given["receipt"]))
    except (ValueError, KeyError, TypeError, InvalidSignature):
        return False
    return True


def main() -> int:
    """Check one file."""
    parser = argparse.ArgumentParser(description="Check the signature of a consent receipt.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--key", default="")
    given = parser.parse_args()
    if is_whole(given.file.read_bytes(), given.key):
        print("This receipt is as it was signed.")  # noqa: T201
        return 0
    print("This receipt was changed, or is signed by another key.", file=sys.stderr)  # noqa: T201
    return 1


if __name__ == "__main__":
    sys.exit(main())
