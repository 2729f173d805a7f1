"""What holds for every page: it talks to no other host, and reaches only what belongs to its reader's communities."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils import timezone

from care.reach import communities_of
from people.models import Person
from people.tenants import InView, every_community, looking_at, while_looking_at
from wordhearth.problems import bad_request, is_unreadable

POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; frame-ancestors 'none'; form-action 'self'; base-uri 'none'; object-src 'none'"
)


class ContentSecurityPolicyMiddleware:
    """Sets the same strict Content-Security-Policy on every response that has none."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        return response


class UnreadableInputMiddleware:
    """Answers 400 where a page was sent what no database can keep, such as a null byte in an address."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The page that says so; nothing for bugs."""
        return bad_request(request, exception) if is_unreadable(exception) else None


class OfWhoeverAsks(InView):
    """The communities of the person behind a request, looked up when the database is first asked for something.

    Who that is may be found out late (a token of the API) or change (signing in), so each time it is somebody else
    they are looked up again.
    """

    def __init__(self, request: HttpRequest) -> None:
        super().__init__()
        self._request = request
        self._whose: int | None = None
        self._theirs: set[int] = set()

    def ids(self) -> set[int]:
        """Those of whoever it is by now, and what came into view along the way."""
        # The session and the account are read by this very question.
        with every_community():
            person = self._request.user
            if person.pk != self._whose:
                self._whose = person.pk
                self._theirs = communities_of(person, timezone.now()) if isinstance(person, Person) else set()
        return self.communities | self._theirs


class CommunitiesInViewMiddleware:
    """Lets a request reach the communities of whoever asks (`care.reach`), and no others.

    A page that shows something of another to whoever may see it brings that one into view (`people.tenants.widen`).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        view = OfWhoeverAsks(request)
        with looking_at(view):
            response = self.get_response(request)
        # A whole file asks for nothing; what is made bit by bit is made after the request is over.
        if isinstance(response, StreamingHttpResponse) and getattr(response, "file_to_stream", None) is None:
            response.streaming_content = while_looking_at(view, response.streaming_content)
        return response
