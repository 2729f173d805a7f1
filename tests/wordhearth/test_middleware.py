"""Every answer forbids the browser to talk to another host."""

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory

from wordhearth.middleware import POLICY, ContentSecurityPolicyMiddleware


def parts(policy):
    return dict(part.strip().split(" ", 1) for part in policy.split(";"))


def test_nothing_comes_from_elsewhere_and_nothing_runs_inline():
    rules = parts(POLICY)
    assert rules["default-src"] == rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
    assert rules["img-src"] == "'self' data:"
    assert rules["object-src"] == rules["base-uri"] == rules["frame-ancestors"] == "'none'"
    assert not {"'unsafe-inline'", "'unsafe-eval'", "*", "https:", "http:"} & set(POLICY.replace(";", " ").split())


def test_an_answer_with_a_policy_of_its_own_keeps_it():
    def view(request):
        return HttpResponse(headers={"Content-Security-Policy": "default-src 'none'"})

    answer = ContentSecurityPolicyMiddleware(view)(RequestFactory().get("/"))
    assert answer["Content-Security-Policy"] == "default-src 'none'"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/about/", 200),
        ("/accounts/login/", 200),
        ("/accounts/signup/", 200),
        ("/found/", 302),
        ("/no-such-page/", 404),
        ("/api/v1/projects/", 401),
        ("/api/v1/schema", 200),
        ("/admin/login/", 200),
    ],
)
def test_every_answer_carries_it(path, status):
    answer = Client().get(path)
    assert answer.status_code == status
    assert answer["Content-Security-Policy"] == POLICY


@pytest.mark.django_db
def test_an_error_carries_it_too(monkeypatch):
    def broken(request):
        raise ZeroDivisionError

    monkeypatch.setattr("frontend.public.views.AboutView.get", lambda self, request: broken(request))
    answer = Client(raise_request_exception=False).get("/about/")
    assert answer.status_code == 500
    assert answer["Content-Security-Policy"] == POLICY


@pytest.mark.django_db
def test_a_wrong_host_carries_it_too():
    answer = Client().get("/", headers={"host": "elsewhere.example"})
    assert answer.status_code == 400
    assert answer["Content-Security-Policy"] == POLICY


@pytest.mark.django_db
def test_no_page_holds_what_the_policy_would_block(client):
    for path in ("/", "/about/", "/accounts/login/", "/accounts/signup/"):
        page = client.get(path).content.decode()
        assert "style=" not in page
        assert "<style" not in page
        assert "onclick=" not in page
        assert "<script>" not in page
