"""Addresses: pages of a community live under /c/<slug>/, the API under /api/v1/."""

from django.contrib import admin
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from django.views.i18n import set_language

urlpatterns = [
    path("", include("frontend.public.urls")),
    path("c/<slug:slug>/speak/", include("frontend.speaker.urls")),
    path("c/<slug:slug>/decide/", include("frontend.expert.urls")),
    path("c/<slug:slug>/train/", include("frontend.researcher.urls")),
    path("c/<slug:slug>/steward/", include("frontend.steward.urls")),
    # Anybody may choose a language for this browser; asking for a token would put a cookie on every first visit.
    path("language/", csrf_exempt(set_language), name="set_language"),
    path("accounts/", include("allauth.account.urls")),
    path("api/v1/", include("wordhearth.api_urls")),
    path("admin/", admin.site.urls),
]
