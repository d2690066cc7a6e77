"""The nightly reconciliation, at 02:00 UTC until somebody chooses another time in the admin."""

from django.db import migrations

NAME = "nightly-reconciliation"


def plan(apps, schema_editor):
    crontab, _ = apps.get_model("django_celery_beat", "CrontabSchedule").objects.get_or_create(
        minute="0",
        hour="2",
        day_of_week="*",
        day_of_month="*",
        month_of_year="*",
        timezone="UTC",
    )
    apps.get_model("django_celery_beat", "PeriodicTask").objects.get_or_create(
        name=NAME,
        defaults={
            "task": "portfolio.reconcile_all",
            "crontab": crontab,
            "description": "Compares every account in use with its venue.",
        },
    )


def unplan(apps, schema_editor):
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(name=NAME).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("portfolio", "0003_notes_are_append_only"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [migrations.RunPython(plan, unplan)]
