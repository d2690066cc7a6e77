"""Stopping takes one person, any loosening two: the database looks the approval up by itself.

It has to name this switch and this mode, and to have been released after the switch was last set. A switch
is never deleted or moved to another part of the desk, which would loosen without being asked. Who decides
is one approver, or one admin; a desk changes that rule like any.
"""

import uuid

import django.db.models.deletion
from django.db import migrations, models

RULE = uuid.UUID("f2c60d0e-2f0b-45c8-8c51-7d8c1f8b9b1e")
HOLD = """
CREATE FUNCTION trading_check_switch() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    strictest text[] := ARRAY['off', 'reduce_only', 'on'];
    before text;
    set_at timestamptz;
BEGIN
    IF coalesce(current_setting('cqops.seeding', true), '') = 'on' THEN
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a switch is set, never deleted' USING ERRCODE = 'check_violation';
    END IF;
    IF TG_OP = 'INSERT' THEN
        -- Where there is no row, the desk is off, and its parts follow the desk.
        before := CASE NEW.scope WHEN 'desk' THEN 'off' ELSE 'on' END;
        set_at := '-infinity';
    ELSE
        IF (NEW.id, NEW.scope, NEW.subject_id) IS DISTINCT FROM (OLD.id, OLD.scope, OLD.subject_id)
        THEN
            RAISE EXCEPTION 'a switch stays where it is' USING ERRCODE = 'check_violation';
        END IF;
        before := OLD.mode;
        set_at := OLD.changed_at;
    END IF;
    IF array_position(strictest, NEW.mode::text) > array_position(strictest, before)
        AND NOT EXISTS (
            SELECT 1 FROM approvals_request asked, jsonb_array_elements(asked.instruction) line
            WHERE asked.id = NEW.approval_id AND asked.kind = 'trading.switch'
                AND asked.subject_id = NEW.id::text AND asked.state = 'executed'
                AND asked.executed_at >= set_at
                AND line->>'label' = 'To' AND line->>'text' = NEW.mode
        )
    THEN
        RAISE EXCEPTION 'trading goes on with a second person' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER switch_loosens_with_a_second BEFORE INSERT OR UPDATE OR DELETE ON trading_tradingswitch
    FOR EACH ROW EXECUTE FUNCTION trading_check_switch();
"""
UNDO = """
DROP TRIGGER switch_loosens_with_a_second ON trading_tradingswitch;
DROP FUNCTION trading_check_switch();
"""


def ship(apps, schema_editor):
    rule_model = apps.get_model("approvals", "Rule")
    need_model = apps.get_model("approvals", "RuleNeed")
    groups = apps.get_model("approvals", "Group").objects.filter(
        name__in=["Approvers", "Administrators"]
    )
    if not groups or rule_model.objects.filter(pk=RULE).exists():
        return
    rule = rule_model.objects.create(
        id=RULE, name="Trading goes on", position=40, kind="trading.switch", groups_required=1
    )
    for group in groups:
        need_model.objects.create(rule=rule, group=group, quorum=1)


class Migration(migrations.Migration):
    dependencies = [
        ("approvals", "0005_powers_go_through_it"),
        ("trading", "0005_orders_say_what_they_are_for"),
    ]
    operations = [
        migrations.AddField(
            model_name="tradingswitch",
            name="approval",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="approvals.request",
            ),
        ),
        migrations.RunSQL(HOLD, UNDO),
        # What people made of the rule meanwhile stays when the app goes.
        migrations.RunPython(ship, migrations.RunPython.noop),
    ]
