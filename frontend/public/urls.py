"""Addresses of the pages that need no desk."""

from __future__ import annotations

from django.urls import include, path

from frontend.public import (
    access,
    decisions,
    fonts,
    founding,
    glass,
    guidelines,
    installing,
    reporting,
    transparency,
    views,
)

app_name = "public"

urlpatterns = [
    path("", views.HomeView.as_view(), name="home"),
    path("found/", founding.FoundView.as_view(), name="found"),
    path("language/", views.LanguageView.as_view(), name="language"),
    path("about/", views.AboutView.as_view(), name="about"),
    path("manifest.webmanifest", installing.ManifestView.as_view(), name="manifest"),
    path("service-worker.js", installing.ServiceWorkerView.as_view(), name="service_worker"),
    path("device/", installing.DeviceView.as_view(), name="device"),
    path("online/", installing.OnlineView.as_view(), name="online"),
    path("join/<str:secret>/", views.InvitationView.as_view(), name="join"),
    path("report/", reporting.ReportView.as_view(), name="report"),
    path("report/code/", reporting.ReportStatusView.as_view(), name="report_status"),
    path("report/mine/", reporting.MyReportsView.as_view(), name="my_reports"),
    path("report/about/<str:token>/", reporting.ReportAboutView.as_view(), name="report_about"),
    path("break-glass/", glass.GlassView.as_view(), name="glass"),
    path("c/<slug:slug>/looked-in/", glass.GlassesView.as_view(), name="glasses"),
    path("c/<slug:slug>/looked-in/<int:pk>/end/", glass.EndGlassView.as_view(), name="end_glass"),
    path("c/<slug:slug>/", views.CommunityView.as_view(), name="community"),
    path("c/<slug:slug>/decisions/", decisions.DecisionsView.as_view(), name="decisions"),
    path("c/<slug:slug>/transparency/", transparency.TransparencyView.as_view(), name="transparency"),
    path("c/<slug:slug>/access/", access.AskView.as_view(), name="ask_access"),
    path("agreements/", access.MineView.as_view(), name="agreements"),
    path("agreements/<int:pk>/", access.AgreementView.as_view(), name="agreement"),
    path("agreements/<int:pk>/terms/<slug:part>/", access.TermsView.as_view(), name="agreement_terms"),
    path("agreements/<int:pk>/promise/", access.PromiseView.as_view(), name="agreement_promise"),
    path("agreements/<int:pk>/token/", access.TokenView.as_view(), name="agreement_token"),
    path("agreements/<int:pk>/releases/<int:number>/", access.DownloadView.as_view(), name="agreement_download"),
    path("c/<slug:slug>/font/<str:sha256>.css", fonts.FontSheetView.as_view(), name="font_sheet"),
    path("c/<slug:slug>/font/<str:sha256>.woff2", fonts.FontView.as_view(), name="font"),
    path("c/<slug:slug>/join/", views.JoinView.as_view(), name="join_open"),
    path("c/<slug:slug>/guidelines/<int:pk>/", guidelines.GuidelinesView.as_view(), name="guidelines"),
    path("c/<slug:slug>/try/", include("frontend.public.playground_urls")),
]
