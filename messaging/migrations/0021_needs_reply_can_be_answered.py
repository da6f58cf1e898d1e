"""Threads that cannot be answered need no reply.

Only those are read that need one so far, by their index. Whoever has a list open sees it after
loading it again, as after any upgrade.
"""

from django.db import migrations

FORWARDS = """
UPDATE threads_thread SET needs_reply = false WHERE needs_reply AND NOT EXISTS (
    SELECT FROM threads_contact AS contact
    JOIN messaging_number AS number ON number.inbox_id = threads_thread.inbox_id
    WHERE contact.id = threads_thread.contact_id AND contact.kind <> 'name'
      AND number.address = threads_thread.our_address
      AND NOT EXISTS (
        SELECT FROM messaging_optout AS opt_out
        WHERE opt_out.address = contact.address AND opt_out.ended_at IS NULL
          AND (opt_out.is_for_all OR opt_out.our_address = threads_thread.our_address)))
"""


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0020_attempts_that_went_wrong"),
        ("threads", "0009_needs_reply_can_be_answered"),
    ]

    operations = [migrations.RunSQL(FORWARDS, migrations.RunSQL.noop)]
