from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("venues", "0004_drift_raw_archive_and_condition")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    "ALTER TABLE venues_rawframe ADD COLUMN same_as uuid NULL",
                    "ALTER TABLE venues_rawframe DROP COLUMN same_as",
                )
            ],
            state_operations=[
                migrations.AddField("rawframe", "same_as", models.UUIDField(null=True)),
            ],
        )
    ]
