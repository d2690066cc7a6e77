"""Who gives a role is held by the database: an admin, never the one who gets it.

A grant is given and taken away, never edited. An admin neither trades nor approves. Only what says
that it seeds (demo people, the very first admin) may leave open who gave a role.
"""

from django.db import migrations

HOLD = """
CREATE FUNCTION access_check_grant() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        RAISE EXCEPTION 'a grant is not edited: take it away and give another'
            USING ERRCODE = 'check_violation';
    END IF;
    -- Two grants for one person wait for each other, so that each sees the other.
    PERFORM 1 FROM access_user WHERE id = NEW.user_id FOR NO KEY UPDATE;
    IF NEW.granted_by_id IS NULL THEN
        IF coalesce(current_setting('cqops.seeding', true), '') <> 'on' THEN
            RAISE EXCEPTION 'a role is given by somebody' USING ERRCODE = 'check_violation';
        END IF;
    ELSIF NEW.granted_by_id = NEW.user_id THEN
        RAISE EXCEPTION 'nobody gives a role to themselves' USING ERRCODE = 'check_violation';
    ELSIF NOT EXISTS (
        SELECT 1 FROM access_rolegrant held JOIN access_user giver ON giver.id = held.user_id
        WHERE giver.id = NEW.granted_by_id AND giver.is_active
            AND held.role = 'admin' AND held.scope = 'desk'
    ) THEN
        RAISE EXCEPTION 'only an admin gives roles' USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (
        SELECT 1 FROM access_rolegrant held WHERE held.user_id = NEW.user_id
            AND ((NEW.role = 'admin' AND held.role IN ('trader', 'approver'))
                OR (NEW.role IN ('trader', 'approver') AND held.role = 'admin'))
    ) THEN
        RAISE EXCEPTION 'an admin neither trades nor approves' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER grant_comes_from_another_admin BEFORE INSERT OR UPDATE ON access_rolegrant
    FOR EACH ROW EXECUTE FUNCTION access_check_grant();
"""
UNDO = """
DROP TRIGGER grant_comes_from_another_admin ON access_rolegrant;
DROP FUNCTION access_check_grant();
"""


class Migration(migrations.Migration):
    dependencies = [("access", "0003_second_factors_sessions_and_scopes")]
    operations = [migrations.RunSQL(HOLD, UNDO)]
