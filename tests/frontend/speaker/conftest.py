"""Browsers in which a speaker is signed in."""

from __future__ import annotations

import pytest
from django.test import Client

from people.models import Person


@pytest.fixture
def bens(client: Client, ben: Person) -> Client:
    """A browser in which Ben is signed in."""
    client.force_login(ben)
    return client


@pytest.fixture
def filipas(filipa: Person) -> Client:
    """A browser in which Filipa is signed in."""
    client = Client()
    client.force_login(filipa)
    return client
