"""Django's PostgreSQL backend, which starts the embedded server when somebody first connects.

So a command that asks the database nothing (`--help`, `check`) starts nothing.
"""

from pathlib import Path
from typing import Any

from django.db import OperationalError
from django.db.backends.postgresql import base

from config.embedded.life import Gone, ensure_running


class DatabaseWrapper(base.DatabaseWrapper):
    def get_connection_params(self) -> dict[str, Any]:
        """Asked before every connection, also by procrastinate for its own."""
        from django.conf import settings  # read late: this module is imported by them

        try:
            ensure_running(Path(settings.DATA_DIR))
        except Gone as error:
            raise OperationalError(str(error)) from error
        params: dict[str, Any] = super().get_connection_params()
        return params
