"""Errors of the API as problem details (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as ModelInvalid
from django.http import Http404
from rest_framework import exceptions, serializers
from rest_framework.response import Response
from rest_framework.views import exception_handler

from people.refusals import Refusal


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
        return "There is no such thing, or you may not see it."
    return "You may not do this." if isinstance(error, PermissionDenied) else str(error)


def _words(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [f"{key}: {word}" for key, inner in value.items() for word in _words(inner)]
    return [word for inner in value for word in _words(inner)] if isinstance(value, list) else [str(value)]


def _problem(
    kind: str, status: int, detail: str, errors: dict[str, list[str]] | None, response: Response | None = None
) -> Response:
    body: dict[str, Any] = {
        "type": kind,
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if errors:
        body["errors"] = errors
    answer = Response(body, status=status, content_type="application/problem+json")
    for name in ("WWW-Authenticate", "Retry-After"):
        if response is not None and name in response.headers:
            answer.headers[name] = response.headers[name]
    return answer
