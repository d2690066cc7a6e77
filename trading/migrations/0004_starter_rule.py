"""The rule a desk starts with for its large orders: one approver. A desk adds tiers above it."""

import uuid

from django.db import migrations

RULE = uuid.UUID("8d6d6c54-6a46-4b5e-9f2b-0a7f5a1a6c11")


def ship(apps, schema_editor):
    rule_model = apps.get_model("approvals", "Rule")
    need_model = apps.get_model("approvals", "RuleNeed")
    approvers = apps.get_model("approvals", "Group").objects.filter(name="Approvers").first()
    if approvers is None or rule_model.objects.filter(pk=RULE).exists():
        return
    rule = rule_model.objects.create(
        id=RULE, name="Orders above the threshold", position=50, kind="trading.order"
    )
    need_model.objects.create(rule=rule, group=approvers, quorum=1)


class Migration(migrations.Migration):
    dependencies = [
        ("approvals", "0003_starter_rules"),
        ("trading", "0003_orders_wait_for_a_second_person"),
    ]
    # What people made of the rule meanwhile stays when the app goes.
    operations = [migrations.RunPython(ship, migrations.RunPython.noop)]
