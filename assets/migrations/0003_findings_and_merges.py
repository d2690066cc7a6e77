"""What the scan finds, and duplicates that answer as another asset, with the promises PostgreSQL keeps.

- A merge is a claim on two clocks, taken and ended with the approval of exactly that by two people.
- One step only: what answers as another is merged into nothing else, and nothing into it. So no
  circle of merges can be, also not of several that commit at once.
- Nothing that wraps, stakes, bridges or migrates goes round in a circle through a merge, whichever of
  the two came last. Nor do several that answer as one have two canonical contracts on a chain, or
  count for risk or PnL in two groups.
- A finding keeps what it is about and is never deleted.

The scan runs every night at 03:00 UTC until somebody chooses another time in the admin.
"""

import uuid

import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.contrib.postgres.fields.ranges
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

NIGHTLY = "nightly-registry-scan"
HOLD = """
CREATE VIEW assets_merged AS
    SELECT asset_id, into_id FROM assets_merge
    WHERE superseded_at IS NULL AND (valid_to IS NULL OR valid_to > transaction_timestamp());

CREATE FUNCTION assets_reaches(start uuid, goal uuid, kinds text[]) RETURNS boolean
LANGUAGE sql STABLE AS $$
    WITH RECURSIVE reached (asset_id) AS (
        SELECT start
        UNION
        SELECT step.other_id FROM reached JOIN (
            SELECT asset_id, other_id FROM assets_relationship
            WHERE kind = ANY (kinds) AND superseded_at IS NULL
                AND (valid_to IS NULL OR valid_to > transaction_timestamp())
            UNION ALL SELECT asset_id, into_id FROM assets_merged
            UNION ALL SELECT into_id, asset_id FROM assets_merged
        ) step (asset_id, other_id) USING (asset_id)
    )
    SELECT EXISTS (SELECT 1 FROM reached WHERE asset_id = goal)
$$;

CREATE FUNCTION assets_mates(who uuid) RETURNS SETOF uuid LANGUAGE sql STABLE AS $$
    SELECT into_id FROM assets_merged WHERE asset_id = who
    UNION SELECT asset_id FROM assets_merged WHERE into_id = who
    UNION SELECT other.asset_id FROM assets_merged own JOIN assets_merged other USING (into_id)
        WHERE own.asset_id = who AND other.asset_id <> who
$$;

CREATE FUNCTION assets_check_merge() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    kind text := 'assets.merge';
    pair jsonb := assets_line('Asset id', NEW.asset_id::text)
        || assets_line('Into id', NEW.into_id::text);
    backed text[] := ARRAY['wraps', 'stakes', 'bridges'];
    migrated text[] := ARRAY['migrated_to'];
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.superseded_at IS NOT NULL AND NOT assets_is_approved(kind, NULL, pair
            || assets_line('Change', 'split') || assets_line('Claim that stands', OLD.id::text))
        THEN
            RAISE EXCEPTION 'what was merged is split with a second person'
                USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    -- One after another: each then sees what the one before it committed.
    PERFORM pg_advisory_xact_lock(hashtextextended('assets_relationship', 0));
    PERFORM pg_advisory_xact_lock(hashtextextended('assets_merge', 0));
    IF NOT assets_is_approved(kind, NULL, pair || assets_line('Change', 'merge'))
        -- What stood before it is said again, until the moment it ends.
        AND NOT (assets_is_approved(kind, NULL, pair || assets_line('Change', 'split')) AND EXISTS (
            SELECT 1 FROM assets_merge former
            WHERE former.superseded_at = NEW.recorded_at AND NEW.valid_to IS NOT NULL
                AND (former.asset_id, former.into_id) = (NEW.asset_id, NEW.into_id)
        ))
    THEN
        RAISE EXCEPTION 'two assets are merged with a second person'
            USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (
        SELECT 1 FROM assets_merge other
        WHERE other.superseded_at IS NULL
            AND (other.asset_id = NEW.into_id OR other.into_id = NEW.asset_id)
            AND tstzrange(other.valid_from, other.valid_to)
                && tstzrange(NEW.valid_from, NEW.valid_to)
    ) THEN
        RAISE EXCEPTION 'a merge is one step'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'merge_is_one_step';
    END IF;
    IF NEW.valid_to IS NULL AND (
        assets_reaches(NEW.asset_id, NEW.into_id, backed)
        OR assets_reaches(NEW.into_id, NEW.asset_id, backed)
        OR assets_reaches(NEW.asset_id, NEW.into_id, migrated)
        OR assets_reaches(NEW.into_id, NEW.asset_id, migrated)
    ) THEN
        RAISE EXCEPTION 'one of the two comes from the other'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'merge_goes_round';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION assets_check_merged_round() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    kinds text[] := CASE
        WHEN NEW.kind IN ('wraps', 'stakes', 'bridges') THEN ARRAY['wraps', 'stakes', 'bridges']
        WHEN NEW.kind = 'migrated_to' THEN ARRAY['migrated_to']
    END;
BEGIN
    IF kinds IS NULL OR NEW.superseded_at IS NOT NULL
        OR NEW.valid_to <= transaction_timestamp() OR NOT EXISTS (SELECT 1 FROM assets_merged)
    THEN
        RETURN NEW;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('assets_relationship', 0));
    IF assets_reaches(NEW.other_id, NEW.asset_id, kinds) THEN
        RAISE EXCEPTION 'it would go round in a circle'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'relationship_goes_round';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION assets_check_mates() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    mates uuid[] := ARRAY(SELECT assets_mates(NEW.asset_id));
    span tstzrange;
    taken text;
BEGIN
    IF cardinality(mates) = 0
        OR NEW.valid_to <= greatest(NEW.valid_from, transaction_timestamp())
    THEN
        RETURN NEW;
    END IF;
    span := tstzrange(greatest(NEW.valid_from, transaction_timestamp()), NEW.valid_to);
    IF TG_TABLE_NAME = 'assets_deployment' THEN
        SELECT 'one_canonical_deployment' INTO taken FROM assets_deployment other
        WHERE NEW.is_canonical AND other.is_canonical AND other.superseded_at IS NULL
            AND other.chain_id = NEW.chain_id AND other.asset_id = ANY (mates)
            AND tstzrange(other.valid_from, other.valid_to) && span
        LIMIT 1;
    ELSE
        SELECT CASE WHEN other.is_for_risk AND NEW.is_for_risk THEN 'one_group_for_risk'
            ELSE 'one_group_for_pnl' END INTO taken
        FROM assets_groupmember other
        WHERE other.superseded_at IS NULL AND other.asset_id = ANY (mates)
            AND other.group_id <> NEW.group_id
            AND (other.is_for_risk AND NEW.is_for_risk OR other.is_for_pnl AND NEW.is_for_pnl)
            AND tstzrange(other.valid_from, other.valid_to) && span
        LIMIT 1;
    END IF;
    IF taken IS NOT NULL THEN
        RAISE EXCEPTION 'another that answers as the same asset stands in its place'
            USING ERRCODE = 'check_violation', CONSTRAINT = taken;
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION assets_keep_finding() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a finding is dismissed, never deleted' USING ERRCODE = 'restrict_violation';
    END IF;
    IF (NEW.id, NEW.kind, NEW.key, NEW.first_seen_at) <> (OLD.id, OLD.kind, OLD.key, OLD.first_seen_at)
    THEN
        RAISE EXCEPTION 'a finding keeps what it is about' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER merge_kept BEFORE INSERT OR UPDATE OR DELETE ON assets_merge
    FOR EACH ROW EXECUTE FUNCTION assets_keep_claim();
CREATE TRIGGER merge_not_truncated BEFORE TRUNCATE ON assets_merge
    FOR EACH STATEMENT EXECUTE FUNCTION assets_refuse_truncate();
CREATE TRIGGER merge_was_approved BEFORE INSERT OR UPDATE ON assets_merge
    FOR EACH ROW EXECUTE FUNCTION assets_check_merge();
CREATE TRIGGER relationship_goes_round_through_no_merge BEFORE INSERT ON assets_relationship
    FOR EACH ROW EXECUTE FUNCTION assets_check_merged_round();
CREATE TRIGGER deployment_fits_its_mates BEFORE INSERT ON assets_deployment
    FOR EACH ROW EXECUTE FUNCTION assets_check_mates();
CREATE TRIGGER member_fits_its_mates BEFORE INSERT ON assets_groupmember
    FOR EACH ROW EXECUTE FUNCTION assets_check_mates();
CREATE TRIGGER finding_kept BEFORE UPDATE OR DELETE ON assets_finding
    FOR EACH ROW EXECUTE FUNCTION assets_keep_finding();
CREATE TRIGGER finding_not_truncated BEFORE TRUNCATE ON assets_finding
    FOR EACH STATEMENT EXECUTE FUNCTION assets_refuse_truncate();
"""
UNDO = """
DROP TRIGGER finding_not_truncated ON assets_finding;
DROP TRIGGER finding_kept ON assets_finding;
DROP TRIGGER member_fits_its_mates ON assets_groupmember;
DROP TRIGGER deployment_fits_its_mates ON assets_deployment;
DROP TRIGGER relationship_goes_round_through_no_merge ON assets_relationship;
DROP TRIGGER merge_was_approved ON assets_merge;
DROP TRIGGER merge_not_truncated ON assets_merge;
DROP TRIGGER merge_kept ON assets_merge;
DROP FUNCTION assets_keep_finding();
DROP FUNCTION assets_check_mates();
DROP FUNCTION assets_check_merged_round();
DROP FUNCTION assets_check_merge();
DROP FUNCTION assets_mates(uuid);
DROP FUNCTION assets_reaches(uuid, uuid, text[]);
DROP VIEW assets_merged;
"""


def plan(apps, schema_editor):
    crontab, _ = apps.get_model("django_celery_beat", "CrontabSchedule").objects.get_or_create(
        minute="0",
        hour="3",
        day_of_week="*",
        day_of_month="*",
        month_of_year="*",
        timezone="UTC",
    )
    apps.get_model("django_celery_beat", "PeriodicTask").objects.get_or_create(
        name=NIGHTLY,
        defaults={
            "task": "assets.scan",
            "crontab": crontab,
            "description": "Looks for assets that may be one thing twice, or pose as another.",
        },
    )


def unplan(apps, schema_editor):
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(name=NIGHTLY).delete()


class Migration(migrations.Migration):

    dependencies = [
        ('approvals', '0005_powers_go_through_it'),
        ('assets', '0002_the_registry'),
        ('django_celery_beat', '0019_alter_periodictasks_options'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Finding',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('same_address', 'One address, several assets'), ('near_address', 'Addresses nearly the same'), ('looks_alike', 'Names that read alike'), ('same_symbol', 'One ticker, several assets')], max_length=12)),
                ('key', models.CharField(max_length=200, verbose_name='what they share')),
                ('assets', django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), size=None)),
                ('evidence', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=400), size=None)),
                ('state', models.CharField(choices=[('open', 'Open'), ('dismissed', 'Dismissed'), ('confirmed', 'Confirmed and merged'), ('over', 'No longer so')], default='open', max_length=10)),
                ('first_seen_at', models.DateTimeField()),
                ('last_seen_at', models.DateTimeField()),
                ('opened_at', models.DateTimeField()),
                ('dismissed_at', models.DateTimeField(null=True)),
                ('dismissed_reason', models.CharField(blank=True, max_length=500)),
                ('dismissed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-opened_at'],
                'indexes': [django.contrib.postgres.indexes.GinIndex(fields=['assets'], name='finding_by_asset'), models.Index(fields=['state', '-opened_at'], name='finding_by_state')],
                'constraints': [models.UniqueConstraint(fields=('kind', 'key'), name='finding_is_opened_once'), models.CheckConstraint(condition=models.Q(('state__in', ['open', 'dismissed', 'confirmed', 'over'])), name='finding_state_is_known'), models.CheckConstraint(condition=models.Q(('kind__in', ['same_address', 'near_address', 'looks_alike', 'same_symbol'])), name='finding_kind_is_known'), models.CheckConstraint(condition=models.Q(('last_seen_at__gte', models.F('first_seen_at'))), name='finding_is_seen_forward'), models.CheckConstraint(condition=models.Q(models.Q(('dismissed_at', None), ('dismissed_by', None), ('dismissed_reason', '')), models.Q(('dismissed_at__isnull', False), ('dismissed_by__isnull', False), models.Q(('dismissed_reason', ''), _negated=True)), _connector='OR'), name='finding_is_dismissed_with_a_reason'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'dismissed'), _negated=True), ('dismissed_at__isnull', False), _connector='OR'), name='finding_is_dismissed_by_somebody')],
            },
        ),
        migrations.CreateModel(
            name='Merge',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('valid_from', models.DateTimeField(blank=True, null=True, verbose_name='true since')),
                ('valid_to', models.DateTimeField(blank=True, null=True, verbose_name='true until')),
                ('recorded_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('superseded_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('source', models.CharField(help_text='Who says so: a person, a list, a venue.', max_length=120)),
                ('approval', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='approvals.request')),
                ('asset', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='merges', to='assets.asset')),
                ('into', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='merged_here', to='assets.asset')),
                ('recorded_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-recorded_at'],
                'abstract': False,
                'constraints': [models.CheckConstraint(condition=models.Q(('valid_from', None), ('valid_to', None), ('valid_to__gt', models.F('valid_from')), _connector='OR'), name='merge_is_true_for_a_while'), models.CheckConstraint(condition=models.Q(('superseded_at', None), ('superseded_at__gte', models.F('recorded_at')), _connector='OR'), name='merge_is_superseded_after_it_was_recorded'), models.CheckConstraint(condition=models.Q(('source', ''), _negated=True), name='merge_has_a_source'), models.CheckConstraint(condition=models.Q(('asset', models.F('into')), _negated=True), name='merge_is_of_two'), django.contrib.postgres.constraints.ExclusionConstraint(expressions=[('asset', '='), (models.Func(models.F('valid_from'), models.F('valid_to'), function='tstzrange', output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField()), '&&'), (models.Func(models.F('recorded_at'), models.F('superseded_at'), function='tstzrange', output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField()), '&&')], name='merged_once_at_a_time')],
            },
        ),
        migrations.RunSQL(HOLD, UNDO),
        migrations.RunPython(plan, unplan),
    ]
