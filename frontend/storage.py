"""Static files as browsers get them: compressed once, named by their content, kept for a year."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFiles(CompressedManifestStaticFilesStorage):
    """`manage.py collectstatic` fills it; `manage.py up` calls that. ES modules import each other by hashed names."""

    # Django finds imports by a pattern, so our modules keep to one import a line.
    support_js_module_import_aggregation = True
