"""Pictures and files of messages and drafts, and the public links that carriers fetch from."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

FORWARD = """
CREATE FUNCTION attachment_is_of_its_thread() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM messaging_message
                   WHERE id = NEW.message_id AND thread_id = NEW.thread_id) THEN
        RAISE EXCEPTION 'An attachment belongs to a message of its own thread.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'attachment_is_of_its_thread';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER attachment_is_of_its_thread
    BEFORE INSERT OR UPDATE OF message_id, thread_id ON messaging_attachment
    FOR EACH ROW WHEN (NEW.message_id IS NOT NULL)
    EXECUTE FUNCTION attachment_is_of_its_thread();

CREATE FUNCTION attachment_stays_with_its_message() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'An attachment stays with the message that it was sent with.'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'attachment_stays_with_its_message';
END $$;

CREATE TRIGGER attachment_stays_with_its_message
    BEFORE UPDATE OF message_id ON messaging_attachment
    FOR EACH ROW
    WHEN (OLD.message_id IS NOT NULL AND OLD.message_id IS DISTINCT FROM NEW.message_id)
    EXECUTE FUNCTION attachment_stays_with_its_message();

CREATE FUNCTION only_outbound_attachments_are_linked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM messaging_attachment AS attachment
                   JOIN messaging_attempt AS attempt ON attempt.message_id = attachment.message_id
                   JOIN messaging_message AS message ON message.id = attachment.message_id
                   WHERE attachment.id = NEW.attachment_id AND attempt.id = NEW.attempt_id
                     AND message.kind = 'outbound') THEN
        RAISE EXCEPTION 'Only a file of an outbound message has a public address.'
            USING ERRCODE = 'check_violation',
                  CONSTRAINT = 'only_outbound_attachments_are_linked';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER only_outbound_attachments_are_linked
    BEFORE INSERT OR UPDATE OF attachment_id, attempt_id ON messaging_publiclink
    FOR EACH ROW EXECUTE FUNCTION only_outbound_attachments_are_linked();
"""

BACKWARD = """
DROP TRIGGER only_outbound_attachments_are_linked ON messaging_publiclink;
DROP FUNCTION only_outbound_attachments_are_linked();
DROP TRIGGER attachment_stays_with_its_message ON messaging_attachment;
DROP FUNCTION attachment_stays_with_its_message();
DROP TRIGGER attachment_is_of_its_thread ON messaging_attachment;
DROP FUNCTION attachment_is_of_its_thread();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0006_places_and_words"),
        ("threads", "0005_lists_by_choice"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="message",
            name="file_count",
            field=models.SmallIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AddField(
            model_name="message",
            name="picture_count",
            field=models.SmallIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.CreateModel(
            name="Attachment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("picture", "Picture"), ("file", "File")], max_length=7
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("waiting", "Waiting"), ("ready", "Ready"), ("failed", "Failed")],
                        default="waiting",
                        max_length=7,
                    ),
                ),
                ("reason", models.CharField(blank=True, default="", max_length=255)),
                (
                    "name",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="Shown, and nothing else.",
                        max_length=120,
                    ),
                ),
                (
                    "content_type",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="What its bytes say, not its sender.",
                        max_length=64,
                    ),
                ),
                (
                    "size",
                    models.PositiveBigIntegerField(default=0, help_text="Bytes of what we keep."),
                ),
                ("width", models.PositiveIntegerField(null=True)),
                ("height", models.PositiveIntegerField(null=True)),
                ("is_animated", models.BooleanField(default=False)),
                (
                    "sha256",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="Hex, of the bytes as they came.",
                        max_length=64,
                    ),
                ),
                (
                    "stored_name",
                    models.CharField(blank=True, default="", editable=False, max_length=120),
                ),
                (
                    "thumbnail_name",
                    models.CharField(blank=True, default="", editable=False, max_length=120),
                ),
                (
                    "source_url",
                    models.TextField(
                        blank=True,
                        default="",
                        editable=False,
                        help_text="Where the carrier keeps it.",
                    ),
                ),
                (
                    "source_sha256",
                    models.CharField(blank=True, default="", editable=False, max_length=64),
                ),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "message",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attachments",
                        to="messaging.message",
                    ),
                ),
                (
                    "thread",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="threads.thread",
                    ),
                ),
                (
                    "uploader",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PublicLink",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("token", models.UUIDField(default=uuid.uuid4, unique=True)),
                (
                    "stored_name",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="A smaller one made for the carrier; empty: the attachment's own file.",
                        max_length=120,
                    ),
                ),
                ("content_type", models.CharField(max_length=64)),
                ("expires_at", models.DateTimeField(db_index=True)),
                (
                    "attachment",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="links",
                        to="messaging.attachment",
                    ),
                ),
                (
                    "attempt",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="links",
                        to="messaging.attempt",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="attachment",
            index=models.Index(
                condition=models.Q(("message", None), _negated=True),
                fields=["message", "id"],
                name="attachment_message",
            ),
        ),
        migrations.AddIndex(
            model_name="attachment",
            index=models.Index(
                condition=models.Q(("message", None)),
                fields=["thread", "uploader", "id"],
                name="attachment_draft",
            ),
        ),
        migrations.AddIndex(
            model_name="attachment",
            index=models.Index(
                condition=models.Q(("state", "waiting")), fields=["id"], name="attachment_waiting"
            ),
        ),
        migrations.AddConstraint(
            model_name="attachment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("kind__in", ["picture", "file"]),
                    ("state__in", ["waiting", "ready", "failed"]),
                ),
                name="attachment_kind_and_state_are_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="attachment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "ready"), _negated=True),
                    models.Q(("stored_name", ""), _negated=True),
                    _connector="OR",
                ),
                name="ready_attachment_has_a_file",
            ),
        ),
        migrations.AddConstraint(
            model_name="attachment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("message", None), _negated=True),
                    models.Q(("uploader", None), _negated=True),
                    _connector="OR",
                ),
                name="unsent_attachment_is_somebodys",
            ),
        ),
        migrations.AddConstraint(
            model_name="attachment",
            constraint=models.UniqueConstraint(
                condition=models.Q(("stored_name", ""), _negated=True),
                fields=("stored_name",),
                name="attachments_share_no_file",
            ),
        ),
        migrations.AddConstraint(
            model_name="publiclink",
            constraint=models.UniqueConstraint(
                fields=("attachment", "attempt"), name="attempt_has_one_link_an_attachment"
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
