"""What the writer of a chain does: commitments, hashes and signed checkpoints. Pure; `verify.py` reads them back."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

GENESIS = "0" * 64
SALT_BYTES = 32
_ED25519 = b"\x01"


class UnusableKey(ValueError):
    """The signing key is not 32 bytes in base64."""


def commitment(salt: bytes, payload: Mapping[str, Any]) -> str:
    """HMAC-SHA256 over the payload's canonical JSON: whoever lacks the salt cannot even guess at the payload."""
    return hmac.digest(salt, rfc8785.dumps(dict(payload)), "sha256").hex()


def seal(previous: str, body: Mapping[str, Any]) -> str:
    """The entry's hash: SHA-256 over 0x01, the hash before, and the body's canonical JSON (RFC 8785)."""
    return hashlib.sha256(b"\x01" + bytes.fromhex(previous) + rfc8785.dumps(dict(body))).hexdigest()


def read_seed(given: str, kept: Path) -> bytes:
    """The key's seed: `given` in base64, else the one in the file `kept`, which is made once. Raises UnusableKey."""
    text = given or _kept(kept)
    try:
        seed = base64.b64decode(text.strip(), validate=True)
    except ValueError as error:
        raise UnusableKey("The ledger's key must be 32 bytes in base64.") from error
    if len(seed) != 32:
        raise UnusableKey("The ledger's key must be 32 bytes in base64.")
    return seed


def _kept(path: Path) -> str:
    """The file's text. It appears under its name only when it is whole, so two processes never make two keys."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        number, made = tempfile.mkstemp(dir=path.parent)  # readable for its owner alone
        with os.fdopen(number, "w") as file:
            file.write(base64.b64encode(secrets.token_bytes(32)).decode())
        with suppress(FileExistsError):
            os.link(made, path)
        Path(made).unlink()
    return path.read_text()


class Signer:
    """Signs the checkpoints of one chain as C2SP signed-note says. The chain's origin is the key's name."""

    def __init__(self, seed: bytes, community: str) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        public = self._key.public_key().public_bytes_raw()
        installation = hashlib.sha256(public).hexdigest()[:16]
        self.origin = f"wordhearth/{installation}/{community or '-'}"
        self._id = hashlib.sha256(f"{self.origin}\n".encode() + _ED25519 + public).digest()[:4]
        self.verifier_key = f"{self.origin}+{self._id.hex()}+{base64.b64encode(_ED25519 + public).decode()}"

    def checkpoint(self, size: int, root: bytes) -> str:
        """A C2SP tlog-checkpoint: origin, size, root, and the signature over these lines."""
        text = f"{self.origin}\n{size}\n{base64.b64encode(root).decode()}\n"
        signature = base64.b64encode(self._id + self._key.sign(text.encode())).decode()
        return f"{text}\n— {self.origin} {signature}\n"
