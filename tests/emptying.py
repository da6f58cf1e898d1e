"""What stands in for Django's flush after a test that commits.

The flush truncates sixty tables, each into new files, and writes all content types and permissions
again: a quarter of a second. It knows nothing of procrastinate's tables, whose models are
unmanaged.
"""

from django.db import connection

KEPT = ["django_migrations", "django_content_type", "auth_permission"]
"""What belongs to the schema."""

_END_TRANSACTIONS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
        AND state = 'idle in transaction'
"""

# As a replica, PostgreSQL runs neither foreign keys nor triggers: any order is right.
_DELETE_ROWS = """
    DO $$
    DECLARE
        name text;
    BEGIN
        SET LOCAL session_replication_role = replica;
        FOR name IN
            SELECT tablename FROM pg_tables
            WHERE schemaname = current_schema() AND tablename <> ALL (ARRAY[{kept}])
        LOOP
            EXECUTE format('DELETE FROM %I', name);
        END LOOP;
    END
    $$
"""


def empty_tables() -> None:
    """Delete every row but the schema's own.

    The periodic deferrer and the workers' listeners leave sessions open behind them; they end
    first, with the locks that they hold.
    """
    with connection.cursor() as cursor:
        cursor.execute(_END_TRANSACTIONS)
        cursor.execute(_DELETE_ROWS.format(kept=", ".join(f"'{name}'" for name in KEPT)))
