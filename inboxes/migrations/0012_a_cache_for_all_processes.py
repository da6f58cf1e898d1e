"""Make the table of the cache: used codes of authenticator apps are remembered for all processes."""

from django.db import migrations

MAKE = """
CREATE TABLE IF NOT EXISTS cache (
    cache_key varchar(255) NOT NULL PRIMARY KEY,
    value text NOT NULL,
    expires timestamp with time zone NOT NULL
);
CREATE INDEX IF NOT EXISTS cache_expires ON cache (expires);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("inboxes", "0011_sign_in_with_two_steps"),
    ]

    operations = [
        migrations.RunSQL(MAKE, "DROP TABLE IF EXISTS cache"),
    ]
