"""Static files under hashed names."""

import re
from collections.abc import Iterator
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage

_IMPORT = re.compile(r'^@import url\("([\w-]+\.css)"\);$', re.MULTILINE)


class HashedFiles(CompressedManifestStaticFilesStorage):
    """Static files with hashed names, also in imports between our JavaScript modules.

    Otherwise a browser could mix a new module with an old one from its cache.
    """

    support_js_module_import_aggregation = True

    def post_process(self, paths: Any, dry_run: bool = False, **options: Any) -> Iterator[Any]:
        """Join each style sheet with those that it imports, so that a page makes one request."""
        whole = InMemoryStorage()
        for name in [name for name in paths if name.startswith("css/")]:
            text = _read_source(paths, name)
            if _IMPORT.search(text):
                joined = _IMPORT.sub(lambda match: _read_source(paths, f"css/{match[1]}"), text)
                whole.save(name, ContentFile(joined))
                paths[name] = whole, name
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
