"""Ops events only grow, and the database holds them to it; sights are what was last seen outside.

Retention is one function, and the trigger lets its DELETE through for rows older than a day and for
nothing younger, whoever calls. TRUNCATE has an allowance for the flush between tests alone.
"""

import django.contrib.postgres.indexes
from django.db import migrations, models

REFUSE = """
CREATE FUNCTION telemetry_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' AND current_database() LIKE 'test\\_%'
       AND current_setting('cqops.test_flush', true) = 'on'
    THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'DELETE' AND current_setting('cqops.ops_retention', true) = 'on' THEN
        IF OLD.at < now() - interval '1 day' THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION telemetry_forget_ops_events(before timestamptz) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    gone bigint;
BEGIN
    PERFORM set_config('cqops.ops_retention', 'on', true);
    DELETE FROM telemetry_opsevent
    WHERE at < least(before, now() - interval '1 day');
    GET DIAGNOSTICS gone = ROW_COUNT;
    PERFORM set_config('cqops.ops_retention', 'off', true);
    RETURN gone;
END $$;

CREATE TRIGGER ops_event_kept BEFORE UPDATE OR DELETE ON telemetry_opsevent
    FOR EACH ROW EXECUTE FUNCTION telemetry_refuse_change();
CREATE TRIGGER ops_event_not_truncated BEFORE TRUNCATE ON telemetry_opsevent
    FOR EACH STATEMENT EXECUTE FUNCTION telemetry_refuse_change();
"""
UNDO = """
DROP TRIGGER ops_event_not_truncated ON telemetry_opsevent;
DROP TRIGGER ops_event_kept ON telemetry_opsevent;
DROP FUNCTION telemetry_forget_ops_events(timestamptz);
DROP FUNCTION telemetry_refuse_change();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('telemetry', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Sight',
            fields=[
                ('name', models.CharField(max_length=80, primary_key=True, serialize=False)),
                ('is_up', models.BooleanField()),
                ('at', models.DateTimeField()),
                ('since', models.DateTimeField()),
                ('words', models.CharField(blank=True, max_length=200)),
            ],
        ),
        migrations.CreateModel(
            name='OpsEvent',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('at', models.DateTimeField()),
                ('since', models.DateTimeField()),
                ('count', models.PositiveIntegerField(default=1)),
                ('process', models.CharField(max_length=32)),
                ('severity', models.CharField(choices=[('urgent', 'Urgent'), ('attention', 'Attention'), ('info', 'Info')], max_length=9)),
                ('kind', models.CharField(max_length=64)),
                ('words', models.CharField(max_length=500)),
                ('labels', models.JSONField(default=dict)),
                ('request_id', models.CharField(blank=True, max_length=64)),
                ('trace_id', models.CharField(blank=True, max_length=64)),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(models.F('severity'), models.OrderBy(models.F('id'), descending=True), name='ops_by_severity'), models.Index(models.F('kind'), models.OrderBy(models.F('id'), descending=True), name='ops_by_kind'), models.Index(models.F('process'), models.OrderBy(models.F('id'), descending=True), name='ops_by_process'), django.contrib.postgres.indexes.BrinIndex(fields=['at'], name='ops_by_time')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('kind', ''), _negated=True), models.Q(('process', ''), _negated=True)), name='ops_event_names_kind_and_process'), models.CheckConstraint(condition=models.Q(('since__lte', models.F('at')), ('count__gte', 1)), name='ops_event_counts_forward')],
            },
        ),
        migrations.RunSQL(REFUSE, UNDO),
    ]
