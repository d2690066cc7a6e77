from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('trading', '0006_switches_loosen_with_a_second_person'),
    ]

    operations = [
        migrations.AddField(
            model_name='order',
            name='traceparent',
            field=models.CharField(blank=True, db_default='', help_text='Where in which trace it was placed.', max_length=55),
        ),
    ]
