"""The rules a desk starts with for the powers themselves; each app ships its own for its kinds.

Groups go by role, so they hold whoever has the role. A desk changes all of it, with a second person.
"""

import uuid

from django.db import migrations

NAMES = uuid.UUID("0f6f1b8e-53f7-4f5a-9d0c-6a1df2c1b7a4")
GROUPS = [("Approvers", "approver"), ("Administrators", "admin")]
RULES = [
    # name, position, kind, groups and quorum, how many of the groups (None is all)
    ("Rules and groups", 10, "approvals.rule", [("Approvers", 1)], None),
    ("Stand-ins", 20, "approvals.stand_in", [("Approvers", 1), ("Administrators", 1)], 1),
    ("Roles of people", 30, "access.role", [("Approvers", 1), ("Administrators", 1)], 1),
]


def ship(apps, schema_editor):
    group_model = apps.get_model("approvals", "Group")
    rule_model = apps.get_model("approvals", "Rule")
    need_model = apps.get_model("approvals", "RuleNeed")
    groups = {
        name: group_model.objects.create(id=uuid.uuid5(NAMES, name), name=name, role=role)
        for name, role in GROUPS
    }
    for name, position, kind, needs, required in RULES:
        rule = rule_model.objects.create(
            id=uuid.uuid5(NAMES, name),
            name=name,
            position=position,
            kind=kind,
            groups_required=required,
        )
        for group, quorum in needs:
            need_model.objects.create(rule=rule, group=groups[group], quorum=quorum)


class Migration(migrations.Migration):
    dependencies = [("approvals", "0002_the_database_keeps_the_promises")]
    # On the way down the tables themselves go.
    operations = [migrations.RunPython(ship, migrations.RunPython.noop)]
