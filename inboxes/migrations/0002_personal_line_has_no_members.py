from django.db import migrations

FORWARD = """
CREATE FUNCTION personal_line_has_no_members() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'inboxes_membership' THEN
        IF EXISTS (SELECT 1 FROM inboxes_inbox
                   WHERE id = NEW.inbox_id AND owner_id IS NOT NULL FOR KEY SHARE) THEN
            RAISE EXCEPTION 'A personal line has no members.'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'personal_line_has_no_members';
        END IF;
    ELSIF EXISTS (SELECT 1 FROM inboxes_membership WHERE inbox_id = NEW.id) THEN
        RAISE EXCEPTION 'An inbox with members cannot become a personal line.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'personal_line_has_no_members';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER personal_line_has_no_members
    BEFORE INSERT OR UPDATE OF inbox_id ON inboxes_membership
    FOR EACH ROW EXECUTE FUNCTION personal_line_has_no_members();

CREATE TRIGGER personal_line_has_no_members
    BEFORE UPDATE OF owner_id ON inboxes_inbox
    FOR EACH ROW WHEN (NEW.owner_id IS NOT NULL)
    EXECUTE FUNCTION personal_line_has_no_members();
"""

BACKWARD = """
DROP TRIGGER personal_line_has_no_members ON inboxes_inbox;
DROP TRIGGER personal_line_has_no_members ON inboxes_membership;
DROP FUNCTION personal_line_has_no_members();
"""


class Migration(migrations.Migration):
    dependencies = [("inboxes", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
