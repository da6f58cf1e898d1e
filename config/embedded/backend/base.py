"""Django's PostgreSQL backend, which starts the embedded server at the first connection.

So a command that needs no database (`--help`, `check`) starts nothing.
"""

from pathlib import Path
from typing import Any

from django.db import OperationalError
from django.db.backends.postgresql import base

from config.embedded.lifecycle import ServerUnavailable, ensure_running


class DatabaseWrapper(base.DatabaseWrapper):
    def get_connection_params(self) -> dict[str, Any]:
        """Start the server if needed; called before every connection, procrastinate's too."""
        from django.conf import settings  # read late: this module is imported by them

        try:
            ensure_running(Path(settings.DATA_DIR))
        except ServerUnavailable as error:
            raise OperationalError(str(error)) from error
        params: dict[str, Any] = super().get_connection_params()
        return params
