"""Addresses of the researcher's desk, under /c/<slug>/train/."""

from __future__ import annotations

from django.urls import path

from frontend.researcher.views import (
    additions,
    comparing,
    copies,
    dataset,
    elsewhere,
    exports,
    grids,
    hardware,
    home,
    mining,
    releases,
    runs,
    trials,
)

app_name = "researcher"

urlpatterns = [
    path("", home.HomeView.as_view(), name="home"),
    path("dataset/", dataset.DatasetView.as_view(), name="dataset"),
    path("hard/", mining.HardView.as_view(), name="hard"),
    path("hard/<int:pk>/", mining.ProbeView.as_view(), name="probe"),
    path("hard/<int:pk>/live/", mining.LiveProbeView.as_view(), name="probe-live"),
    path("hard/<int:pk>/cancel/", mining.CancelProbeView.as_view(), name="probe-cancel"),
    path("hard/<int:pk>/trial/", trials.OpenTrialView.as_view(), name="open-trial"),
    path("trials/<int:pk>/", trials.TrialView.as_view(), name="trial"),
    path("order/<int:pk>/", mining.OrderView.as_view(), name="order"),
    path("freeze/", releases.FreezeView.as_view(), name="freeze"),
    path("releases/<int:pk>/", releases.ReleaseView.as_view(), name="release"),
    path("releases/<int:pk>/verify/", releases.VerifyView.as_view(), name="verify"),
    path("releases/<int:pk>/download/", releases.DownloadView.as_view(), name="download"),
    path("releases/<int:pk>/run/", runs.StartView.as_view(), name="start"),
    path("releases/<int:pk>/grid/", grids.StartGridView.as_view(), name="start-grid"),
    path("grids/<int:pk>/", grids.GridView.as_view(), name="grid"),
    path("grids/<int:pk>/live/", grids.LiveGridView.as_view(), name="grid-live"),
    path("grids/<int:pk>/cancel/", grids.CancelGridView.as_view(), name="grid-cancel"),
    path("grids/<int:pk>/figures.csv", grids.GridFileView.as_view(), name="grid-file"),
    path("additions/", additions.AdditionsView.as_view(), name="additions"),
    path("additions/rows/", additions.MakeRowsView.as_view(), name="make-rows"),
    path("additions/tokens/", additions.MakeTokensView.as_view(), name="make-tokens"),
    path("additions/<int:pk>/", additions.AdditionView.as_view(), name="addition"),
    path("additions/<int:pk>/delete/", additions.DeleteAdditionView.as_view(), name="delete-addition"),
    path("copies/", copies.CopiesView.as_view(), name="copies"),
    path("hardware/", hardware.HardwareView.as_view(), name="hardware"),
    path("runs/compare/", comparing.CompareView.as_view(), name="compare"),
    path("runs/<int:pk>/", runs.RunView.as_view(), name="run"),
    path("runs/<int:pk>/live/", runs.LiveView.as_view(), name="live"),
    path("runs/<int:pk>/cancel/", runs.CancelView.as_view(), name="cancel"),
    path("runs/<int:pk>/resume/", runs.ResumeView.as_view(), name="resume"),
    path("runs/<int:pk>/elsewhere/", elsewhere.TakeView.as_view(), name="take-elsewhere"),
    path("runs/<int:pk>/back/", elsewhere.BackView.as_view(), name="bring-back"),
    path("runs/<int:pk>/recommend/", runs.RecommendView.as_view(), name="recommend"),
    path("runs/<int:pk>/bias/", runs.BiasView.as_view(), name="bias"),
    path("runs/<int:pk>/intruders/", runs.IntrudersView.as_view(), name="intruders"),
    path("runs/<int:pk>/files/", exports.ExportsView.as_view(), name="exports"),
    path("runs/<int:pk>/files/<int:number>/", exports.ExportFileView.as_view(), name="export"),
    path("runs/<int:pk>/card/", runs.CardView.as_view(), name="card"),
    path("runs/<int:pk>/download/", comparing.DownloadRunView.as_view(), name="run-download"),
]
