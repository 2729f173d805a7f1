"""What makes the site an app on a phone: its manifest, its service worker, and pages that need no connection."""

from __future__ import annotations

import hashlib

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language, get_language_info
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.generic import TemplateView

# What the page "On this device" is made of; packets bring along what they need themselves.
SHELL = ["css/app.css", "js/device.js", "js/outbox.js", "icons/favicon.svg"]


class ManifestView(View):
    """The web app manifest (W3C), by which a phone offers to put the site on its home screen."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """In the reader's language."""
        language = get_language() or "en"
        icons = [
            {"src": static("icons/favicon.svg"), "sizes": "any", "type": "image/svg+xml"},
            *(
                {"src": static(f"icons/app-{size}.png"), "sizes": f"{size}x{size}", "type": "image/png", "purpose": use}
                for size, use in ((192, "any"), (512, "any"), (512, "maskable"))
            ),
        ]
        manifest = {
            "id": "/",
            "name": "Wordhearth",
            "short_name": "Wordhearth",
            "description": _("Where the speakers of a language write, check and govern what a model learns from."),
            "lang": language,
            "dir": "rtl" if get_language_info(language)["bidi"] else "ltr",
            "start_url": reverse("public:home"),
            "scope": "/",
            "display": "standalone",
            "background_color": "#fbf7f1",
            "theme_color": "#a03e1b",
            "icons": icons,
        }
        return JsonResponse(manifest, content_type="application/manifest+json")


class ServiceWorkerView(View):
    """The service worker: static files from the cache, pages from the network and, without one, from what was kept."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Another version of any file in it, or another language, makes another worker, and so a new cache."""
        shell = [reverse("public:device"), *map(static, SHELL)]
        version = hashlib.sha256("".join([*shell, get_language() or ""]).encode()).hexdigest()[:12]
        context = {"shell": shell, "version": version, "device": reverse("public:device")}
        response = render(request, "public/service-worker.js", context, content_type="text/javascript")
        response.headers["Cache-Control"] = "no-cache"
        return response


class DeviceView(TemplateView):
    """What this browser keeps: answers that wait, and packets. It is the same page for everybody, filled in by the
    browser, because it is read without a connection."""

    template_name = "public/device.html"


class OnlineView(View):
    """Whether the site can be reached, who is signed in, and a token for sending a form that was kept."""

    @staticmethod
    def get(request: HttpRequest) -> HttpResponse:
        """Never from a cache: a page that lets people into a café's network must not pass for this one."""
        person = str(request.user.pk) if request.user.is_authenticated else None
        return never_cache(lambda request: JsonResponse({"person": person, "token": get_token(request)}))(request)
