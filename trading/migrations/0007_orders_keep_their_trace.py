from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('trading', '0005_orders_say_what_they_are_for'),
    ]

    operations = [
        migrations.AddField(
            model_name='order',
            name='traceparent',
            field=models.CharField(blank=True, db_default='', help_text='Where in which trace it was placed.', max_length=55),
        ),
    ]
