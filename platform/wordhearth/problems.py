"""Errors of the API as problem details (RFC 9457), and what becomes of errors that no view expects."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.core.exceptions import ValidationError as ModelInvalid
from django.db import DataError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from rest_framework import exceptions, serializers
from rest_framework.response import Response
from rest_framework.views import exception_handler

from people.refusals import Refusal

API = "/api/"
PROBLEM = "application/problem+json"
MISSING = "There is no such thing, or you may not see it."
# How PostgreSQL numbers a sum that does not work out: that one is ours.
DIVISION_BY_ZERO = "22012"

logger = logging.getLogger(__name__)


class ProblemSerializer(serializers.Serializer[Any]):
    """The body of every error: what happened, in words for people, and the fields it is about."""

    type = serializers.CharField(help_text="A short name of the kind of problem.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    errors = serializers.DictField(child=serializers.ListField(child=serializers.CharField()), required=False)
    warnings = serializers.ListField(
        child=serializers.DictField(child=serializers.CharField()),
        required=False,
        help_text="What was noticed in an answer: code, message, and the key that confirms it.",
    )


def problem_details(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: refusals of services, validation, permissions and 404 as problem details."""
    if isinstance(error, Refusal):
        field = getattr(error, "field", "")
        errors = {field: [str(error)]} if field else None
        problem = _problem(type(error).__name__, error.status, str(error), errors)
        if warnings := getattr(error, "warnings", None):
            problem.data["warnings"] = warnings
        return problem
    if isinstance(error, ModelInvalid):
        errors = error.message_dict if hasattr(error, "error_dict") else {"non_field_errors": error.messages}
        return _problem("Invalid", 422, "Please check what you sent.", errors)
    if is_unreadable(error) or isinstance(error, SuspiciousOperation | BadRequest):
        return _problem(*_unreadable(error), None)
    response = exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, exceptions.ValidationError):
        errors = error.detail if isinstance(error.detail, dict) else {"non_field_errors": error.detail}
        flat = {name: _words(value) for name, value in errors.items()}
        return _problem("Invalid", 400, "Please check what you sent.", flat, response)
    detail = str(getattr(error, "detail", "")) or _default_detail(error)
    return _problem(type(error).__name__, response.status_code, detail, None, response)


def _default_detail(error: Exception) -> str:
    if isinstance(error, Http404):
        return MISSING
    return "You may not do this." if isinstance(error, PermissionDenied) else str(error)


def _words(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [f"{key}: {word}" for key, inner in value.items() for word in _words(inner)]
    return [word for inner in value for word in _words(inner)] if isinstance(value, list) else [str(value)]


def _body(kind: str, status: int, detail: str) -> dict[str, Any]:
    return {"type": kind, "title": HTTPStatus(status).phrase, "status": status, "detail": detail}


def _problem(
    kind: str, status: int, detail: str, errors: dict[str, list[str]] | None, response: Response | None = None
) -> Response:
    body = _body(kind, status, detail)
    if errors:
        body["errors"] = errors
    answer = Response(body, status=status, content_type=PROBLEM)
    for name in ("WWW-Authenticate", "Retry-After"):
        if response is not None and name in response.headers:
            answer.headers[name] = response.headers[name]
    return answer


def is_unreadable(error: Exception) -> bool:
    """Whether what was sent cannot be kept by any database: null bytes, halves of characters, numbers and dates out of
    all bounds, or JSON that is nested without end. Forms and serializers refuse most of it with the field's name."""
    if isinstance(error, DataError):
        return getattr(error.__cause__, "sqlstate", None) != DIVISION_BY_ZERO
    is_path = isinstance(error, ValueError) and str(error).startswith("embedded null")
    return is_path or isinstance(error, UnicodeEncodeError | RecursionError)


def _unreadable(error: Exception) -> tuple[str, int, str]:
    """Kind, status and words."""
    if isinstance(error, RequestDataTooBig | TooManyFieldsSent | TooManyFilesSent):
        return "TooLarge", 413, "What was sent is too large. Send less at once."
    if is_unreadable(error):
        # Should it be a bug after all, whoever runs the server can find it.
        logger.warning("What was sent could not be kept.", exc_info=error)
    return "Unreadable", 400, "What was sent is broken, or holds what cannot be kept, such as a null byte."


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What is broken or far too large, on pages and where no view of the API was reached."""
    kind, status, detail = _unreadable(exception)
    if request.path_info.startswith(API):
        return JsonResponse(_body(kind, status, detail), status=status, content_type=PROBLEM)
    page = defaults.bad_request(request, exception)
    page.status_code = status
    return page


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """An address that leads nowhere, or to nothing that this person may see."""
    if request.path_info.startswith(API):
        return JsonResponse(_body("Http404", 404, MISSING), status=404, content_type=PROBLEM)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """A bug."""
    if request.path_info.startswith(API):
        detail = "Something broke here. It is our fault, not yours, and it has been written down."
        return JsonResponse(_body("ServerError", 500, detail), status=500, content_type=PROBLEM)
    return defaults.server_error(request)
