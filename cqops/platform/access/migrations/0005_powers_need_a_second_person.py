"""A power is given with the approval of exactly it, or not at all: the database looks it up by itself.

- A grant carries an approval that was released for this person, this role and this part of the desk, and
  was asked for by the admin who gives it.
- A token that may do more than read opens nothing before its approval was released. What it names never
  changes, it never lasts longer than was agreed, and what was revoked stays so.
- A second factor that was set up is taken away, and a disabled person let in again, only with an approval
  for this person.

Grants from before keep what they have. Tokens that write and were made before stay shut: they are made
anew. Only what says that it seeds may do without, and deciding is never seeded into a token.
"""

import django.db.models.deletion
from django.db import migrations, models

FROM_BEFORE = """
UPDATE access_apitoken SET released_at = created_at WHERE NOT EXISTS (
    SELECT 1 FROM unnest(scopes) AS scope WHERE scope NOT LIKE '%.view'
);
"""
# The function of 0004, with the approval asked for after the giver.
GRANTS = """
CREATE OR REPLACE FUNCTION access_check_grant() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        RAISE EXCEPTION 'a grant is not edited: take it away and give another'
            USING ERRCODE = 'check_violation';
    END IF;
    -- Two grants for one person wait for each other, so that each sees the other.
    PERFORM 1 FROM access_user WHERE id = NEW.user_id FOR NO KEY UPDATE;
    IF EXISTS (
        SELECT 1 FROM access_rolegrant held WHERE held.user_id = NEW.user_id
            AND ((NEW.role = 'admin' AND held.role IN ('trader', 'approver'))
                OR (NEW.role IN ('trader', 'approver') AND held.role = 'admin'))
    ) THEN
        RAISE EXCEPTION 'an admin neither trades nor approves' USING ERRCODE = 'check_violation';
    END IF;
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
    {APPROVED}
    END IF;
    RETURN NEW;
END $$;
"""
APPROVED = """ELSIF NOT EXISTS (
        SELECT 1 FROM approvals_request asked, jsonb_array_elements(asked.instruction) line
        WHERE asked.id = NEW.approval_id AND asked.kind = 'access.role'
            AND asked.subject_id = NEW.user_id::text AND asked.state = 'executed'
            AND asked.requested_by_id = NEW.granted_by_id
            AND line->>'label' = 'Becomes ' || NEW.role
            AND ((NEW.scope = 'desk' AND line->>'text' = 'the whole desk')
                OR line->>'text' LIKE NEW.scope || ' ' || NEW.scope_id::text || ' %')
    ) THEN
        RAISE EXCEPTION 'a role needs a second person' USING ERRCODE = 'check_violation';"""
HOLD = """
CREATE FUNCTION access_check_token() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    seeds boolean := coalesce(current_setting('cqops.seeding', true), '') = 'on';
BEGIN
    IF TG_OP = 'UPDATE' AND NOT seeds THEN
        IF (NEW.id, NEW.user_id, NEW.digest, NEW.scopes)
            IS DISTINCT FROM (OLD.id, OLD.user_id, OLD.digest, OLD.scopes)
        THEN
            RAISE EXCEPTION 'what a token opens never changes' USING ERRCODE = 'check_violation';
        END IF;
        IF NEW.expires_at > OLD.expires_at
            OR (OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS NULL)
        THEN
            RAISE EXCEPTION 'a token that ends is not prolonged' USING ERRCODE = 'check_violation';
        END IF;
        IF OLD.released_at IS NOT NULL AND NEW.released_at IS NOT NULL THEN
            RETURN NEW;
        END IF;
    END IF;
    IF NEW.released_at IS NULL
        OR NOT EXISTS (SELECT 1 FROM unnest(NEW.scopes) AS scope WHERE scope NOT LIKE '%.view')
        OR (seeds AND NOT NEW.scopes @> ARRAY['approval.decide']::varchar[])
    THEN
        RETURN NEW;
    END IF;
    IF NOT EXISTS (
        SELECT 1 FROM approvals_request asked, jsonb_array_elements(asked.instruction) line
        WHERE asked.kind = 'access.token' AND asked.subject_id = NEW.id::text
            AND asked.state = 'executed' AND asked.requested_by_id = NEW.user_id
            AND line->>'label' = 'May' AND line->>'text' = array_to_string(NEW.scopes, ', ')
    ) THEN
        RAISE EXCEPTION 'a token that may do more than read needs a second person'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION access_is_way_in_approved(person uuid, wanted text) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT coalesce(current_setting('cqops.seeding', true), '') = 'on' OR EXISTS (
        SELECT 1 FROM approvals_request asked, jsonb_array_elements(asked.instruction) line
        WHERE asked.id::text = current_setting('cqops.approval', true)
            AND asked.kind = 'access.way_in' AND asked.subject_id = person::text
            AND asked.state = 'executed' AND line->>'label' = wanted
    )
$$;

CREATE FUNCTION access_check_second_factor() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT access_is_way_in_approved(OLD.user_id, 'Second factor') THEN
        RAISE EXCEPTION 'taking a second factor away needs a second person'
            USING ERRCODE = 'check_violation';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION access_check_let_in() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT access_is_way_in_approved(NEW.id, 'Let in again') THEN
        RAISE EXCEPTION 'letting somebody in again needs a second person'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER token_that_writes_was_approved BEFORE INSERT OR UPDATE ON access_apitoken
    FOR EACH ROW EXECUTE FUNCTION access_check_token();
CREATE TRIGGER second_factor_stays BEFORE DELETE ON access_authenticator
    FOR EACH ROW WHEN (OLD.confirmed) EXECUTE FUNCTION access_check_second_factor();
CREATE TRIGGER second_factor_stays_confirmed BEFORE UPDATE ON access_authenticator
    FOR EACH ROW WHEN (OLD.confirmed AND (NOT NEW.confirmed OR NEW.user_id <> OLD.user_id))
    EXECUTE FUNCTION access_check_second_factor();
CREATE TRIGGER disabled_stays_out BEFORE UPDATE ON access_user
    FOR EACH ROW WHEN (NEW.is_active AND NOT OLD.is_active)
    EXECUTE FUNCTION access_check_let_in();
"""
UNDO = """
DROP TRIGGER disabled_stays_out ON access_user;
DROP TRIGGER second_factor_stays_confirmed ON access_authenticator;
DROP TRIGGER second_factor_stays ON access_authenticator;
DROP TRIGGER token_that_writes_was_approved ON access_apitoken;
DROP FUNCTION access_check_let_in();
DROP FUNCTION access_check_second_factor();
DROP FUNCTION access_is_way_in_approved(uuid, text);
DROP FUNCTION access_check_token();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0004_grants_come_from_another_admin"),
        ("approvals", "0003_starter_rules"),
    ]
    operations = [
        migrations.AddField(
            model_name="rolegrant",
            name="approval",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="approvals.request",
            ),
        ),
        migrations.AddField(
            model_name="apitoken",
            name="released_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.RunSQL(FROM_BEFORE, migrations.RunSQL.noop),
        migrations.RunSQL(
            GRANTS.replace("{APPROVED}", APPROVED), GRANTS.replace("{APPROVED}", "")
        ),
        migrations.RunSQL(HOLD, UNDO),
    ]
