from django.db import migrations

FORWARD = """
CREATE FUNCTION message_kind_never_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The kind of a message never changes.'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'message_kind_never_changes';
END $$;

CREATE TRIGGER message_kind_never_changes
    BEFORE UPDATE OF kind ON messaging_message
    FOR EACH ROW WHEN (OLD.kind IS DISTINCT FROM NEW.kind)
    EXECUTE FUNCTION message_kind_never_changes();

CREATE FUNCTION only_outbound_messages_are_attempted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM messaging_message
                   WHERE id = NEW.message_id AND kind = 'outbound') THEN
        RAISE EXCEPTION 'Only an outbound message can be handed to a carrier.'
            USING ERRCODE = 'check_violation',
                  CONSTRAINT = 'only_outbound_messages_are_attempted';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER only_outbound_messages_are_attempted
    BEFORE INSERT OR UPDATE OF message_id ON messaging_attempt
    FOR EACH ROW EXECUTE FUNCTION only_outbound_messages_are_attempted();
"""

BACKWARD = """
DROP TRIGGER only_outbound_messages_are_attempted ON messaging_attempt;
DROP FUNCTION only_outbound_messages_are_attempted();
DROP TRIGGER message_kind_never_changes ON messaging_message;
DROP FUNCTION message_kind_never_changes();
"""


class Migration(migrations.Migration):
    dependencies = [("messaging", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
