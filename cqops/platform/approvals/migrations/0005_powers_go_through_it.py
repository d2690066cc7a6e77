"""Who decides about ways in and about programs that write, and stand-ins that end and never overlap."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

NAMES = uuid.UUID("0f6f1b8e-53f7-4f5a-9d0c-6a1df2c1b7a4")
RULES = [
    # name, position, kind: one approver, or one other admin
    ("Ways in of people", 32, "access.way_in"),
    ("Programs that write", 34, "access.token"),
]


HOLD = """
CREATE FUNCTION approvals_check_stand_in() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF (NEW.id, NEW.absent_id, NEW.stand_in_id, NEW.starts_at, NEW.ends_at, NEW.named_by_id,
                NEW.accepted_by_id, NEW.accepted_at)
            IS DISTINCT FROM (OLD.id, OLD.absent_id, OLD.stand_in_id, OLD.starts_at, OLD.ends_at,
                OLD.named_by_id, OLD.accepted_by_id, OLD.accepted_at)
            OR (OLD.ended_at IS NOT NULL AND NEW.ended_at IS DISTINCT FROM OLD.ended_at)
        THEN
            RAISE EXCEPTION 'a stand-in is ended, never changed' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    -- Two for one person wait for each other, so that each sees the other.
    PERFORM 1 FROM access_user WHERE id = NEW.absent_id FOR NO KEY UPDATE;
    IF EXISTS (
        SELECT 1 FROM approvals_standin other WHERE other.absent_id = NEW.absent_id
            AND other.ended_at IS NULL
            AND other.starts_at < NEW.ends_at AND other.ends_at > NEW.starts_at
    ) THEN
        RAISE EXCEPTION 'one stand-in at a time' USING ERRCODE = 'exclusion_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER one_stand_in_at_a_time BEFORE INSERT OR UPDATE ON approvals_standin
    FOR EACH ROW EXECUTE FUNCTION approvals_check_stand_in();
"""
UNDO = """
DROP TRIGGER one_stand_in_at_a_time ON approvals_standin;
DROP FUNCTION approvals_check_stand_in();
"""


def ship(apps, schema_editor):
    rule_model = apps.get_model("approvals", "Rule")
    need_model = apps.get_model("approvals", "RuleNeed")
    groups = apps.get_model("approvals", "Group").objects.filter(
        name__in=["Approvers", "Administrators"]
    )
    for name, position, kind in RULES:
        if not groups or rule_model.objects.filter(name=name).exists():
            continue
        rule = rule_model.objects.create(
            id=uuid.uuid5(NAMES, name), name=name, position=position, kind=kind, groups_required=1
        )
        for group in groups:
            need_model.objects.create(rule=rule, group=group, quorum=1)


def take_back(apps, schema_editor):
    apps.get_model("approvals", "Rule").objects.filter(
        pk__in=[uuid.uuid5(NAMES, name) for name, _, _ in RULES]
    ).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("approvals", "0004_findings_and_refusal_codes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.AlterField(
            model_name="proposal",
            name="what",
            field=models.CharField(
                choices=[
                    ("rule", "Rule"),
                    ("group", "Group"),
                    ("stand_in", "Stand-in"),
                    ("role", "Role of a person"),
                    ("way_in", "Way in of a person"),
                ],
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="standin",
            name="ended_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="standin",
            name="ended_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.RunSQL(HOLD, UNDO),
        migrations.RunPython(ship, take_back),
    ]
