"""A key says what it may do, may be kept as a spare, and may be reported as leaked.

The database lets no key into use that can withdraw without a second person's word for exactly that, and
takes a spare key only as what it was asked for. A leak is never taken back.
"""

from django.db import migrations, models

FIXED = """
CREATE OR REPLACE FUNCTION venues_check_credential() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF (NEW.id, NEW.account_id, NEW.key_id{fixed})
                IS DISTINCT FROM (OLD.id, OLD.account_id, OLD.key_id{old_fixed})
            OR (OLD.activated_at IS NOT NULL
                AND NEW.sealed_secret IS DISTINCT FROM OLD.sealed_secret)
            OR (OLD.activated_at IS NOT NULL AND NEW.activated_at IS DISTINCT FROM OLD.activated_at)
            OR (OLD.retired_at IS NOT NULL AND NEW.retired_at IS DISTINCT FROM OLD.retired_at)
            {further}
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
            {agreed}
    ) THEN
        RAISE EXCEPTION 'a key needs a second person' USING ERRCODE = 'check_violation';
    END IF;
    {powers}
    RETURN NEW;
END $$;
"""
NEW = FIXED.format(
    fixed=", NEW.may_transfer",
    old_fixed=", OLD.may_transfer",
    further="""OR (NEW.is_spare AND NOT OLD.is_spare)
            OR (OLD.is_spare AND NOT NEW.is_spare AND OLD.activated_at IS NULL)
            OR (OLD.leaked_at IS NOT NULL AND NEW.leaked_at IS DISTINCT FROM OLD.leaked_at)""",
    agreed="""AND (NOT NEW.may_transfer
                OR asked.instruction @> '[{"label": "Withdrawals", "text": "allowed"}]')
            AND (NEW.is_spare
                = asked.instruction @> '[{"label": "Comes into use", "text": "as the spare key"}]')""",
    powers="""IF NEW.can_transfer AND NOT NEW.may_transfer THEN
        RAISE EXCEPTION 'this key can withdraw' USING ERRCODE = 'check_violation';
    END IF;""",
)
OLD = FIXED.format(fixed="", old_fixed="", further="", agreed="", powers="")
FROM_BEFORE = "UPDATE venues_credential SET used_from = activated_at;"
# One key an account is left: there was no spare before.
ON_THE_WAY_DOWN = (
    "UPDATE venues_credential SET retired_at = now() WHERE is_spare AND retired_at IS NULL;"
)


class Migration(migrations.Migration):
    dependencies = [("venues", "0002_keys_wait_for_a_second_person")]
    operations = [
        migrations.RemoveConstraint(
            model_name="credential", name="one_credential_in_use_an_account"
        ),
        migrations.AddField(
            model_name="credential",
            name="is_spare",
            field=models.BooleanField(
                default=False,
                help_text=(
                    "Kept for the moment the key in use is leaked or fails; not used before."
                ),
                verbose_name="spare",
            ),
        ),
        migrations.AddField(
            model_name="credential",
            name="may_transfer",
            field=models.BooleanField(
                default=False,
                help_text=(
                    "A second person agreed that this key can move money out of the account."
                ),
                verbose_name="allowed to withdraw",
            ),
        ),
        migrations.AddField(
            model_name="credential",
            name="used_from",
            field=models.DateTimeField(
                blank=True, editable=False, null=True, verbose_name="in use from"
            ),
        ),
        migrations.RunSQL(FROM_BEFORE, migrations.RunSQL.noop),
        migrations.AddField(
            model_name="credential",
            name="leaked_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="credential",
            name="revoked_at",
            field=models.DateTimeField(
                blank=True, editable=False, null=True, verbose_name="revoked at the venue"
            ),
        ),
        migrations.AddField(
            model_name="credential",
            name="tested_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="credential",
            name="test",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "Never tried"),
                    ("accepted", "The venue takes it"),
                    ("refused", "The venue refuses it"),
                    ("silent", "The venue did not answer"),
                ],
                editable=False,
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="credential",
            name="can_view",
            field=models.BooleanField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="credential",
            name="can_trade",
            field=models.BooleanField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="credential",
            name="can_transfer",
            field=models.BooleanField(editable=False, null=True, verbose_name="can withdraw"),
        ),
        migrations.AddField(
            model_name="credential",
            name="ends_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddConstraint(
            model_name="credential",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("activated_at__isnull", False), ("is_spare", False), ("retired_at", None)
                ),
                fields=("account",),
                name="one_credential_in_use_an_account",
            ),
        ),
        migrations.AddConstraint(
            model_name="credential",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("activated_at__isnull", False), ("is_spare", True), ("retired_at", None)
                ),
                fields=("account",),
                name="one_credential_spare_an_account",
            ),
        ),
        migrations.AddConstraint(
            model_name="credential",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("leaked_at", None), ("retired_at__isnull", False), _connector="OR"
                ),
                name="leaked_credential_is_retired",
            ),
        ),
        migrations.RunSQL(NEW, OLD),
        migrations.RunSQL(migrations.RunSQL.noop, ON_THE_WAY_DOWN),
    ]
