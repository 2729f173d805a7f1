"""Addresses: pages of a community live under /c/<slug>/, the API under /api/v1/."""

from django.contrib import admin
from django.urls import include, path

handler400 = "wordhearth.problems.bad_request"
handler404 = "wordhearth.problems.not_found"
handler500 = "wordhearth.problems.server_error"

urlpatterns = [
    path("", include("frontend.public.urls")),
    path("c/<slug:slug>/speak/", include("frontend.speaker.urls")),
    path("c/<slug:slug>/decide/", include("frontend.expert.urls")),
    path("c/<slug:slug>/train/", include("frontend.researcher.urls")),
    path("c/<slug:slug>/steward/", include("frontend.steward.urls")),
    path("me/", include("frontend.me.urls")),
    path("accounts/", include("allauth.account.urls")),
    path("api/v1/", include("wordhearth.api_urls")),
    path("admin/", admin.site.urls),
]
