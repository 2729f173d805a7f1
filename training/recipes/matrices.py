"""What an adapter's file holds, told without the libraries that made it. No torch here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy

# A header as long as this is no header; adapters of the largest models stay far below.
LONGEST_HEADER = 50 << 20


class Unreadable(ValueError):
    """The file is not there, or is no file of matrices."""


def _bf16(content: memoryview) -> bytes:
    return (numpy.frombuffer(content, "<u2").astype("<u4") << 16).tobytes()


# A report's hash is of the numbers in 32 bits, whatever they are kept in.
IN_32_BITS: Mapping[str, Callable[[memoryview], bytes | memoryview]] = {
    "F32": lambda content: content,
    "F16": lambda content: numpy.frombuffer(content, "<f2").astype("<f4").tobytes(),
    "BF16": _bf16,
}


def sha256_of_matrices(path: Path) -> str:
    """The hash by which a run's report names its adapter (`training.recipes.report.sha256_of_tensors`), from the file.

    safetensors is eight bytes of length, a header in JSON, and the numbers of each matrix in little-endian order.
    Raises Unreadable.
    """
    try:
        # As a view: a slice of it is read where it lies, and not copied.
        content = memoryview(path.read_bytes())
        length = int.from_bytes(content[:8], "little")
        if length > min(LONGEST_HEADER, len(content) - 8):
            raise Unreadable("The header is longer than the file.")
        header = json.loads(bytes(content[8 : 8 + length]))
        header.pop("__metadata__", None)
        digest = hashlib.sha256()
        for name, about in sorted(header.items()):
            first, last = (8 + length + place for place in about["data_offsets"])
            digest.update(name.encode() + b"\0" + str(tuple(about["shape"])).encode())
            digest.update(IN_32_BITS[about["dtype"]](content[first:last]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unreadable(str(error)) from error
    return digest.hexdigest()
