"""A key comes into use with the approval of exactly it. Keys from before are in use, or were.

The database looks the approval up by itself; a key in use is never exchanged under its row, and one that
is retired stays so. Who decides is one approver, or one other admin; a desk changes that rule like any.
"""

import uuid

from django.db import migrations, models

RULE = uuid.UUID("5b1f0c55-6d0b-4e2b-9a55-3f9a70f6a2d1")
FROM_BEFORE = "UPDATE venues_credential SET activated_at = created_at;"
HOLD = """
CREATE FUNCTION venues_check_credential() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF (NEW.id, NEW.account_id, NEW.key_id) IS DISTINCT FROM (OLD.id, OLD.account_id, OLD.key_id)
            OR (OLD.activated_at IS NOT NULL
                AND NEW.sealed_secret IS DISTINCT FROM OLD.sealed_secret)
            OR (OLD.activated_at IS NOT NULL AND NEW.activated_at IS DISTINCT FROM OLD.activated_at)
            OR (OLD.retired_at IS NOT NULL AND NEW.retired_at IS DISTINCT FROM OLD.retired_at)
        THEN
            RAISE EXCEPTION 'a key is not edited: ask for another' USING ERRCODE = 'check_violation';
        END IF;
        IF OLD.activated_at IS NOT NULL THEN
            RETURN NEW;
        END IF;
    END IF;
    IF NEW.activated_at IS NULL
        OR coalesce(current_setting('cqops.seeding', true), '') = 'on'
    THEN
        RETURN NEW;
    END IF;
    IF NOT EXISTS (
        SELECT 1 FROM approvals_request asked, jsonb_array_elements(asked.instruction) line
        WHERE asked.kind = 'venues.credential' AND asked.subject_id = NEW.id::text
            AND asked.state = 'executed' AND line->>'label' = 'Fingerprint'
            AND line->>'text' = left(encode(sha256(NEW.sealed_secret), 'hex'), 16)
    ) THEN
        RAISE EXCEPTION 'a key needs a second person' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER key_in_use_was_approved BEFORE INSERT OR UPDATE ON venues_credential
    FOR EACH ROW EXECUTE FUNCTION venues_check_credential();
"""
UNDO = """
DROP TRIGGER key_in_use_was_approved ON venues_credential;
DROP FUNCTION venues_check_credential();
"""
# The column that told them apart goes: what never came into use goes with it.
ON_THE_WAY_DOWN = "DELETE FROM venues_credential WHERE activated_at IS NULL;"


def ship(apps, schema_editor):
    rule_model = apps.get_model("approvals", "Rule")
    need_model = apps.get_model("approvals", "RuleNeed")
    groups = apps.get_model("approvals", "Group").objects.filter(
        name__in=["Approvers", "Administrators"]
    )
    if not groups or rule_model.objects.filter(pk=RULE).exists():
        return
    rule = rule_model.objects.create(
        id=RULE, name="Keys of accounts", position=36, kind="venues.credential", groups_required=1
    )
    for group in groups:
        need_model.objects.create(rule=rule, group=group, quorum=1)


class Migration(migrations.Migration):
    dependencies = [
        ("approvals", "0005_powers_go_through_it"),
        ("venues", "0001_initial"),
    ]
    operations = [
        migrations.AddField(
            model_name="credential",
            name="activated_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.RunSQL(FROM_BEFORE, ON_THE_WAY_DOWN),
        migrations.RemoveConstraint(
            model_name="credential", name="one_credential_in_use_an_account"
        ),
        migrations.RemoveConstraint(model_name="credential", name="credential_key_once"),
        migrations.AddConstraint(
            model_name="credential",
            constraint=models.UniqueConstraint(
                condition=models.Q(("activated_at__isnull", False), ("retired_at", None)),
                fields=("account",),
                name="one_credential_in_use_an_account",
            ),
        ),
        migrations.AddConstraint(
            model_name="credential",
            constraint=models.UniqueConstraint(
                condition=models.Q(("activated_at", None), ("retired_at", None)),
                fields=("account",),
                name="one_credential_waits_an_account",
            ),
        ),
        migrations.AddConstraint(
            model_name="credential",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("retired_at", None), ("activated_at__isnull", False), _connector="OR"
                ),
                fields=("account", "key_id"),
                name="credential_key_once",
            ),
        ),
        migrations.RunSQL(HOLD, UNDO),
        # What people made of the rule meanwhile stays when the app goes.
        migrations.RunPython(ship, migrations.RunPython.noop),
    ]
