"""Static files under hashed names."""

import re
from collections.abc import Iterator
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage

# Comments that stand on lines of their own. None may stand within a template literal: a test.
LINES_OF_COMMENT = re.compile(r"^[ \t]*(?://.*|/\*(?:[^*]|\*(?!/))*\*/[ \t]*)\n", re.MULTILINE)
_IMPORT = re.compile(r'^@import url\("([\w-]+\.css)"\);$', re.MULTILINE)


class HashedFiles(CompressedManifestStaticFilesStorage):
    """Static files with hashed names, also in imports between our JavaScript modules.

    Otherwise a browser could mix a new module with an old one from its cache.
    """

    support_js_module_import_aggregation = True

    def post_process(self, paths: Any, dry_run: bool = False, **options: Any) -> Iterator[Any]:
        """Join each style sheet with those that it imports, so that a page makes one request, and
        take the comments out of our scripts, a quarter of what a first page would load."""
        prepared = InMemoryStorage()
        for name in list(paths):
            if name.startswith("css/"):
                text = _IMPORT.sub(
                    lambda match: _read_source(paths, f"css/{match[1]}"), _read_source(paths, name)
                )
            elif name.startswith("js/"):
                text = LINES_OF_COMMENT.sub("", _read_source(paths, name))
            else:
                continue
            prepared.save(name, ContentFile(text))
            paths[name] = prepared, name
        yield from super().post_process(paths, dry_run, **options)

    def url_converter(self, name: str, hashed_files: Any, template: Any = None) -> Any:
        """Leave vendored scripts as they are: they have imports in comments."""
        if name.endswith(".js") and not name.startswith("js/"):
            return lambda match: match[0]
        return super().url_converter(name, hashed_files, template)

    def create_compressor(self, **kwargs: Any) -> Any:
        """Compress with gzip only: brotli took most of the time of the first start."""
        return super().create_compressor(use_brotli=False, **kwargs)


def _read_source(paths: Any, name: str) -> str:
    storage, path = paths[name]
    with storage.open(path) as file:
        return str(file.read().decode())
