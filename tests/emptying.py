"""Empty the tables after a test that commits, in place of Django's flush.

The flush truncates sixty tables, each into new files, and writes all content types and permissions
again, which takes a quarter of a second. It does not know procrastinate's tables, whose models are
unmanaged.
"""

from django.db import connection

# What belongs to the schema.
KEPT = ["django_migrations", "django_content_type", "auth_permission"]

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
    """Delete every row, except those that belong to the schema.

    The periodic deferrer and the workers' listeners leave sessions open. They are ended first,
    with the locks that they hold.
    """
    with connection.cursor() as cursor:
        cursor.execute(_END_TRANSACTIONS)
        cursor.execute(_DELETE_ROWS.format(kept=", ".join(f"'{name}'" for name in KEPT)))
