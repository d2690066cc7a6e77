from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("telemetry", "0002_ops_events_and_sights"),
    ]

    operations = [
        migrations.AddField(
            model_name="heartbeat",
            name="is_well",
            field=models.BooleanField(default=True),
        ),
    ]
