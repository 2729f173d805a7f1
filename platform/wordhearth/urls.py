"""Addresses: pages of a community live under /c/<slug>/, the API under /api/v1/."""

from django.contrib import admin
from django.urls import include, path

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
