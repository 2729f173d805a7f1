"""Addresses of the pages about one's own data, under /me/."""

from __future__ import annotations

from django.urls import path

from frontend.me import copies, erasing, views

app_name = "me"

urlpatterns = [
    path("data/", views.DataView.as_view(), name="data"),
    path("data/file/", views.FileView.as_view(), name="file"),
    path("copies/", copies.MyCopiesView.as_view(), name="copies"),
    path("data/erase/", erasing.EraseAccountView.as_view(), name="erase_account"),
    path("erasing/<str:token>/", erasing.ErasingView.as_view(), name="erasing"),
    path("data/erase/<slug:slug>/", erasing.EraseWordsView.as_view(), name="erase_words"),
]
