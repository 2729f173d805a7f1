"""Static files are collected as a server needs them: hashed, compressed, imports among modules followed."""

import json

from django.core.management import call_command


def test_modules_are_named_by_content_compressed_and_import_each_other_by_these_names(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": "frontend.storage.HashedStaticFiles"}}

    call_command("collectstatic", interactive=False, verbosity=0)

    names = json.loads((tmp_path / "staticfiles.json").read_text())["paths"]
    module = tmp_path / names["js/answer-form.js"]
    assert module.with_name(f"{module.name}.gz").is_file()
    assert names["js/drafts.js"].removeprefix("js/") in module.read_text()
    assert names["css/app.css"] != "css/app.css"
    assert any(name.startswith("django_htmx/htmx-2") for name in names)
