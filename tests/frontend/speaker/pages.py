"""Reading a page of the speaker's desk."""

from __future__ import annotations

from typing import Any

DESK = "/c/test-otomi/speak"


def text_of(response: Any, status: int = 200) -> str:
    """The page's text, after checking its status."""
    assert response.status_code == status
    return str(response.content.decode())
