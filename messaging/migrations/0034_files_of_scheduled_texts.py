"""Files of scheduled texts, which stay in one thread with it, and of first texts without a thread.

No statement holds a table for longer than a moment.
"""

import django.db.models.deletion
from django.db import migrations, models

from inboxes.live_migrations import RunLiveSQL, add_check

MAKE_FUNCTION = """
CREATE OR REPLACE FUNCTION attachment_is_of_its_scheduled_thread()
RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM messaging_scheduledtext
                   WHERE id = NEW.scheduled_text_id AND thread_id = NEW.thread_id) THEN
        RAISE EXCEPTION 'An attachment belongs to a scheduled text of its own thread.'
            USING ERRCODE = 'check_violation',
                  CONSTRAINT = 'attachment_is_of_its_scheduled_thread';
    END IF;
    RETURN NEW;
END $$
"""

MAKE_TRIGGER = """
CREATE OR REPLACE TRIGGER attachment_is_of_its_scheduled_thread
    BEFORE INSERT OR UPDATE OF scheduled_text_id, thread_id ON messaging_attachment
    FOR EACH ROW WHEN (NEW.scheduled_text_id IS NOT NULL)
    EXECUTE FUNCTION attachment_is_of_its_scheduled_thread()
"""


class Migration(migrations.Migration):
    # No table is held while another one is waited for.
    atomic = False

    dependencies = [("messaging", "0033_tapbacks_show_on_messages")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    model_name="attachment",
                    name="thread",
                    field=models.ForeignKey(
                        db_index=False,
                        help_text="Empty while it waits for a first text, which makes the thread.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="threads.thread",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="attachment",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            ("message", None), ("scheduled_text", None), _connector="OR"
                        ),
                        name="sent_attachment_is_not_scheduled",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="attachment",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("thread", None), _negated=True),
                            models.Q(("message", None), ("scheduled_text", None)),
                            _connector="OR",
                        ),
                        name="attachment_without_a_thread_is_unsent",
                    ),
                ),
            ],
            database_operations=[
                RunLiveSQL(
                    "ALTER TABLE messaging_attachment ALTER COLUMN thread_id DROP NOT NULL",
                    migrations.RunSQL.noop,
                ),
                *add_check(
                    "messaging_attachment",
                    "sent_attachment_is_not_scheduled",
                    "message_id IS NULL OR scheduled_text_id IS NULL",
                ),
                *add_check(
                    "messaging_attachment",
                    "attachment_without_a_thread_is_unsent",
                    "thread_id IS NOT NULL OR (message_id IS NULL AND scheduled_text_id IS NULL)",
                ),
            ],
        ),
        migrations.RunSQL(MAKE_FUNCTION, "DROP FUNCTION attachment_is_of_its_scheduled_thread()"),
        RunLiveSQL(
            MAKE_TRIGGER,
            "DROP TRIGGER attachment_is_of_its_scheduled_thread ON messaging_attachment",
        ),
    ]
