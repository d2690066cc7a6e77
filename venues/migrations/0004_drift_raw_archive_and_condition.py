"""Drift reports, the raw archive by the day, and how a venue is doing.

Frames only grow, and the database holds them to it. A day's partition is made ahead by beat, and by
whoever writes when beat was away; it goes only as a whole, and none of the last thirty days, whoever
calls. TRUNCATE has an allowance for the flush between tests alone.
"""

import django.contrib.postgres.fields
import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


FRAMES = """
CREATE TABLE venues_rawframe (
    id uuid NOT NULL,
    at timestamptz NOT NULL,
    number bigint NOT NULL,
    venue varchar(40) NOT NULL,
    account uuid NULL,
    is_public boolean NOT NULL,
    direction varchar(8) NOT NULL,
    kind varchar(8) NOT NULL,
    operation varchar(60) NOT NULL,
    reference varchar(100) NOT NULL,
    line text NOT NULL,
    status smallint NOT NULL CHECK (status >= 0),
    size integer NOT NULL CHECK (size >= 0),
    text text NOT NULL,
    names varchar(100)[] NOT NULL,
    process varchar(32) NOT NULL,
    PRIMARY KEY (at, id)
) PARTITION BY RANGE (at);
CREATE INDEX raw_frames_by_name ON venues_rawframe USING gin (names);
CREATE INDEX raw_frames_by_venue ON venues_rawframe (venue, at);

CREATE FUNCTION venues_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' AND current_database() LIKE 'test\\_%'
       AND current_setting('cqops.test_flush', true) = 'on'
    THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER raw_frames_kept BEFORE UPDATE OR DELETE ON venues_rawframe
    FOR EACH ROW EXECUTE FUNCTION venues_refuse_change();
CREATE TRIGGER raw_frames_not_truncated BEFORE TRUNCATE ON venues_rawframe
    FOR EACH STATEMENT EXECUTE FUNCTION venues_refuse_change();

CREATE FUNCTION venues_make_day(day date) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    name text := 'venues_rawframe_' || to_char(day, 'YYYYMMDD');
BEGIN
    IF to_regclass(name) IS NOT NULL THEN
        RETURN false;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('venues_make_day'));
    IF to_regclass(name) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format(
        'CREATE TABLE %I PARTITION OF venues_rawframe FOR VALUES FROM (%L) TO (%L)',
        name, day::text || ' 00:00+00', (day + 1)::text || ' 00:00+00'
    );
    EXECUTE format(
        'CREATE TRIGGER raw_frames_not_truncated BEFORE TRUNCATE ON %I'
        ' FOR EACH STATEMENT EXECUTE FUNCTION venues_refuse_change()', name
    );
    RETURN true;
END $$;

CREATE FUNCTION venues_forget_days(before date) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    earliest text := 'venues_rawframe_'
        || to_char(least(before, (now() AT TIME ZONE 'UTC')::date - 30), 'YYYYMMDD');
    gone integer := 0;
    old text;
BEGIN
    FOR old IN
        SELECT c.relname FROM pg_inherits i
        JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'venues_rawframe'::regclass AND c.relname < earliest
    LOOP
        EXECUTE format('DROP TABLE %I', old);
        gone := gone + 1;
    END LOOP;
    RETURN gone;
END $$;

SELECT venues_make_day((now() AT TIME ZONE 'UTC')::date + ahead) FROM generate_series(0, 7) ahead;
"""
UNDO = """
DROP TABLE venues_rawframe;
DROP FUNCTION venues_forget_days(date);
DROP FUNCTION venues_make_day(date);
DROP FUNCTION venues_refuse_change();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('venues', '0003_keys_say_what_they_may_do'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(FRAMES, UNDO)],
            state_operations=[
                migrations.CreateModel(
                    name='RawFrame',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('at', models.DateTimeField()),
                        ('number', models.BigIntegerField()),
                        ('venue', models.CharField(max_length=40)),
                        ('account', models.UUIDField(null=True)),
                        ('is_public', models.BooleanField(default=False)),
                        ('direction', models.CharField(max_length=8)),
                        ('kind', models.CharField(max_length=8)),
                        ('operation', models.CharField(blank=True, max_length=60)),
                        ('reference', models.CharField(blank=True, max_length=100)),
                        ('line', models.TextField(blank=True)),
                        ('status', models.PositiveSmallIntegerField(default=0)),
                        ('size', models.PositiveIntegerField()),
                        ('text', models.TextField(blank=True)),
                        ('names', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), default=list, size=None)),
                        ('process', models.CharField(blank=True, max_length=32)),
                    ],
                    options={
                        'ordering': ['at', 'number'],
                    },
                ),
            ],
        ),
        migrations.CreateModel(
            name='VenueHealth',
            fields=[
                ('venue', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='health', serialize=False, to='venues.venue')),
                ('asked_at', models.DateTimeField()),
                ('is_up', models.BooleanField()),
                ('since', models.DateTimeField()),
                ('latency_ms', models.FloatField(null=True)),
                ('offset_ms', models.FloatField(null=True)),
                ('is_offset_told', models.BooleanField(default=False)),
                ('words', models.CharField(blank=True, max_length=300)),
            ],
        ),
        migrations.CreateModel(
            name='ArchiveDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('venue', models.CharField(max_length=40)),
                ('day', models.DateField()),
                ('frames', models.PositiveBigIntegerField(default=0)),
                ('bytes', models.PositiveBigIntegerField(default=0)),
                ('public_bytes', models.PositiveBigIntegerField(default=0)),
                ('lost', models.PositiveBigIntegerField(default=0)),
            ],
            options={
                'ordering': ['-day', 'venue'],
                'constraints': [models.UniqueConstraint(fields=('venue', 'day'), name='archive_day_once_a_venue')],
            },
        ),
        migrations.CreateModel(
            name='MarketWindow',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('venue', models.CharField(max_length=40)),
                ('symbol', models.CharField(max_length=40)),
                ('reference', models.CharField(max_length=100)),
                ('around', models.DateTimeField()),
                ('state', models.CharField(choices=[('wanted', 'Waits for its end'), ('kept', 'Kept'), ('cut', 'Kept in part'), ('missed', 'Not kept')], default='wanted', max_length=6)),
                ('words', models.CharField(blank=True, max_length=200)),
                ('frames', models.PositiveIntegerField(default=0)),
                ('settled_at', models.DateTimeField(null=True)),
            ],
            options={
                'ordering': ['-around'],
                'indexes': [models.Index(condition=models.Q(('state', 'wanted')), fields=['around'], name='market_window_wanted'), models.Index(fields=['reference'], name='market_window_of_an_order')],
            },
        ),
        migrations.CreateModel(
            name='DriftReport',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('place', models.CharField(max_length=100)),
                ('kind', models.CharField(max_length=60)),
                ('value', models.CharField(max_length=200)),
                ('sample', models.CharField(max_length=500)),
                ('first_seen', models.DateTimeField()),
                ('last_seen', models.DateTimeField()),
                ('count', models.PositiveBigIntegerField(default=1)),
                ('version', models.CharField(help_text='The adapter that last met it.', max_length=40)),
                ('is_known', models.BooleanField(default=False)),
                ('note', models.CharField(blank=True, max_length=300)),
                ('known_at', models.DateTimeField(null=True)),
                ('known_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('venue', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='drift', to='venues.venue')),
            ],
            options={
                'ordering': ['is_known', '-last_seen'],
                'constraints': [models.UniqueConstraint(fields=('venue', 'place', 'kind', 'value'), name='drift_once_a_kind'), models.CheckConstraint(condition=models.Q(('is_known', False), models.Q(models.Q(('note', ''), _negated=True), ('known_by__isnull', False), ('known_at__isnull', False)), _connector='OR'), name='drift_known_says_who_and_why')],
            },
        ),
        migrations.CreateModel(
            name='Maintenance',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('starts_at', models.DateTimeField(verbose_name='from')),
                ('ends_at', models.DateTimeField(verbose_name='to')),
                ('note', models.CharField(max_length=300)),
                ('entered_at', models.DateTimeField(auto_now_add=True)),
                ('called_off_at', models.DateTimeField(editable=False, null=True)),
                ('entered_by', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('venue', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='maintenance', to='venues.venue')),
            ],
            options={
                'verbose_name_plural': 'maintenance',
                'ordering': ['starts_at'],
                'constraints': [models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('starts_at'))), name='maintenance_ends_after_it_starts'), models.CheckConstraint(condition=models.Q(('note', ''), _negated=True), name='maintenance_says_what_for')],
            },
        ),
    ]
