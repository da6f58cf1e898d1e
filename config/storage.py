"""Static files under hashed names."""

from typing import Any

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedFiles(CompressedManifestStaticFilesStorage):
    """Also the imports between our JavaScript modules get hashed names; else a browser would mix
    a new module with an old one from its cache."""

    support_js_module_import_aggregation = True

    def url_converter(self, name: str, hashed_files: Any, template: Any = None) -> Any:
        """Other people's scripts are left as they are: they have imports in comments."""
        if name.endswith(".js") and not name.startswith("js/"):
            return lambda match: match[0]
        return super().url_converter(name, hashed_files, template)

    def create_compressor(self, **kwargs: Any) -> Any:
        """gzip only: brotli's best setting took most of the first start's time."""
        return super().create_compressor(use_brotli=False, **kwargs)
