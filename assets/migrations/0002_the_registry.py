"""The registry: chains, dated claims on two clocks, groups and flags, with the promises PostgreSQL keeps.

- A claim is never edited or deleted: it is superseded once, and when it was last looked at moves forward. No
  claim is recorded for a moment that is long over, so nobody can have known yesterday what they say today.
- Assets, chains and groups change by one version at a time and are retired, never deleted.
- Nothing that stands on another asset goes round in a circle, also of two that commit at once: whoever
  relates waits for whoever did before.
- Contracts, canonical members and the clearing of severe flags are taken with the approval of exactly that,
  released in this same transaction. Only what says that it seeds may do without.

What each asset was called until now becomes a ticker it always had, known since the asset was made.
`btree_gist` comes with the first migration of venues, and goes with it, so this one stands between.
"""

import assets.fields
import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.contrib.postgres.fields.ranges
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


TICKERS = """
INSERT INTO assets_alias (id, asset_id, ticker, is_primary, source, recorded_at)
SELECT gen_random_uuid(), id, symbol, true, 'the registry', created_at FROM assets_asset;
SET CONSTRAINTS ALL IMMEDIATE;
"""
CLAIMS = ("alias", "identifier", "deployment", "relationship", "groupmember")
REGISTERED = ("asset", "chain", "assetgroup")
HOLD = """
CREATE FUNCTION assets_is_seeding() RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT coalesce(current_setting('cqops.seeding', true), '') = 'on'
$$;

CREATE FUNCTION assets_is_approved(wanted text, about text, said jsonb) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT assets_is_seeding() OR EXISTS (
        SELECT 1 FROM approvals_request asked
        WHERE asked.id::text = current_setting('cqops.approval', true)
            AND asked.kind = wanted AND asked.state = 'executed'
            AND asked.executed_at >= transaction_timestamp() - interval '5 minutes'
            AND (about IS NULL OR asked.subject_id = about)
            AND asked.instruction @> said
    )
$$;

CREATE FUNCTION assets_line(label text, said text) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_build_array(jsonb_build_object('label', label, 'text', said))
$$;

CREATE FUNCTION assets_refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_database() LIKE 'test\\_%' AND current_setting('cqops.test_flush', true) = 'on' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'what % holds is kept', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION assets_keep_claim() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    -- PostgreSQL makes the key of an address itself, and only after this.
    moving text[] := ARRAY['superseded_at', 'last_verified_at', 'address_key'];
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a claim is superseded, never deleted' USING ERRCODE = 'restrict_violation';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NOT assets_is_seeding() AND (
            NEW.superseded_at IS NOT NULL
            OR NEW.recorded_at < transaction_timestamp() - interval '5 minutes'
            OR NEW.recorded_at > clock_timestamp() + interval '5 minutes'
        ) THEN
            RAISE EXCEPTION 'a claim is recorded when it is recorded'
                USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF (to_jsonb(NEW) - moving) <> (to_jsonb(OLD) - moving)
        OR OLD.superseded_at IS NOT NULL
        OR (NEW.superseded_at IS NOT NULL AND NOT assets_is_seeding()
            AND NEW.superseded_at NOT BETWEEN transaction_timestamp() - interval '5 minutes'
                AND clock_timestamp() + interval '5 minutes')
    THEN
        RAISE EXCEPTION 'a claim is never edited, only superseded once'
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF (to_jsonb(NEW)->>'last_verified_at')::timestamptz
        IS DISTINCT FROM (to_jsonb(OLD)->>'last_verified_at')::timestamptz
        AND coalesce((to_jsonb(NEW)->>'last_verified_at')::timestamptz, '-infinity')
            < coalesce((to_jsonb(OLD)->>'last_verified_at')::timestamptz, '-infinity')
    THEN
        RAISE EXCEPTION 'that it was looked at is not taken back'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION assets_keep_registered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'it is retired, never deleted' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.id <> OLD.id OR NEW.version <> OLD.version + 1 THEN
        RAISE EXCEPTION 'it changes by one version at a time, and keeps its id'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION assets_keep_flag() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moving text[] := ARRAY['cleared_at', 'cleared_by_id', 'cleared_reason', 'approval_id', 'review_on'];
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a flag is cleared, never deleted' USING ERRCODE = 'restrict_violation';
    END IF;
    IF (to_jsonb(NEW) - moving) <> (to_jsonb(OLD) - moving) OR OLD.cleared_at IS NOT NULL THEN
        RAISE EXCEPTION 'a flag is never edited, only cleared once'
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.cleared_at IS NOT NULL AND OLD.severity >= 40
        AND NOT assets_is_approved('assets.clear_flag', OLD.id::text, '[]')
    THEN
        RAISE EXCEPTION 'a severe flag is cleared with a second person'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION assets_check_deployment() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    place jsonb;
    content jsonb;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        place := assets_line('Chain', OLD.chain_id) || assets_line('Address', OLD.address);
        IF NEW.superseded_at IS NOT NULL AND NOT assets_is_approved('assets.deployment', NULL, place)
        THEN
            RAISE EXCEPTION 'where an asset lives is changed with a second person'
                USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    place := assets_line('Chain', NEW.chain_id) || assets_line('Address', NEW.address);
    content := place || assets_line('Asset id', NEW.asset_id::text)
        || assets_line('Decimals', NEW.decimals::text)
        || assets_line('Canonical', CASE WHEN NEW.is_canonical THEN 'yes' ELSE 'no' END);
    IF NOT assets_is_approved('assets.deployment', NULL, content)
        -- What stood before it is said again, until the moment it ends.
        AND NOT (assets_is_approved('assets.deployment', NULL, place) AND EXISTS (
            SELECT 1 FROM assets_deployment former
            WHERE former.superseded_at = NEW.recorded_at AND NEW.valid_to IS NOT NULL
                AND (former.asset_id, former.chain_id, former.address, former.decimals,
                    former.is_canonical)
                = (NEW.asset_id, NEW.chain_id, NEW.address, NEW.decimals, NEW.is_canonical)
        ))
    THEN
        RAISE EXCEPTION 'where an asset lives is recorded with a second person'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION assets_check_member() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    kind text := 'assets.canonical_member';
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.is_canonical AND NEW.superseded_at IS NOT NULL AND NOT assets_is_approved(
            kind, OLD.group_id::text, assets_line('Claim that stands', OLD.id::text))
        THEN
            RAISE EXCEPTION 'a canonical member is replaced with a second person'
                USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.is_canonical
        AND NOT assets_is_approved(
            kind, NEW.group_id::text, assets_line('Asset id', NEW.asset_id::text))
        AND NOT (assets_is_approved(kind, NEW.group_id::text, '[]') AND EXISTS (
            SELECT 1 FROM assets_groupmember former
            WHERE former.superseded_at = NEW.recorded_at AND NEW.valid_to IS NOT NULL
                AND former.is_canonical
                AND (former.asset_id, former.group_id) = (NEW.asset_id, NEW.group_id)
        ))
    THEN
        RAISE EXCEPTION 'which member is canonical takes a second person'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION assets_check_round() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    kinds text[] := CASE
        WHEN NEW.kind IN ('wraps', 'stakes', 'bridges') THEN ARRAY['wraps', 'stakes', 'bridges']
        WHEN NEW.kind = 'migrated_to' THEN ARRAY['migrated_to']
    END;
BEGIN
    IF kinds IS NULL OR NEW.superseded_at IS NOT NULL THEN
        RETURN NEW;
    END IF;
    -- One after another: each then sees what the one before it committed.
    PERFORM pg_advisory_xact_lock(hashtextextended('assets_relationship', 0));
    IF EXISTS (
        WITH RECURSIVE reached (asset_id, span) AS (
            SELECT NEW.other_id, tstzrange(NEW.valid_from, NEW.valid_to)
            UNION
            SELECT further.other_id, reached.span * tstzrange(further.valid_from, further.valid_to)
            FROM reached JOIN assets_relationship further
                ON further.asset_id = reached.asset_id AND further.kind = ANY (kinds)
                AND further.superseded_at IS NULL
                AND reached.span && tstzrange(further.valid_from, further.valid_to)
            WHERE reached.asset_id <> NEW.asset_id
        )
        SELECT 1 FROM reached WHERE asset_id = NEW.asset_id
    ) THEN
        RAISE EXCEPTION 'it would go round in a circle'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'relationship_goes_round';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER deployment_was_approved BEFORE INSERT OR UPDATE ON assets_deployment
    FOR EACH ROW EXECUTE FUNCTION assets_check_deployment();
CREATE TRIGGER member_was_approved BEFORE INSERT OR UPDATE ON assets_groupmember
    FOR EACH ROW EXECUTE FUNCTION assets_check_member();
CREATE TRIGGER relationship_goes_nowhere_round BEFORE INSERT ON assets_relationship
    FOR EACH ROW EXECUTE FUNCTION assets_check_round();
CREATE TRIGGER flag_kept BEFORE UPDATE OR DELETE ON assets_qualityflag
    FOR EACH ROW EXECUTE FUNCTION assets_keep_flag();
CREATE TRIGGER flag_not_truncated BEFORE TRUNCATE ON assets_qualityflag
    FOR EACH STATEMENT EXECUTE FUNCTION assets_refuse_truncate();
"""
KEEP_CLAIM = """
CREATE TRIGGER {0}_kept BEFORE INSERT OR UPDATE OR DELETE ON assets_{0}
    FOR EACH ROW EXECUTE FUNCTION assets_keep_claim();
CREATE TRIGGER {0}_not_truncated BEFORE TRUNCATE ON assets_{0}
    FOR EACH STATEMENT EXECUTE FUNCTION assets_refuse_truncate();
"""
KEEP_REGISTERED = """
CREATE TRIGGER {0}_kept BEFORE UPDATE OR DELETE ON assets_{0}
    FOR EACH ROW EXECUTE FUNCTION assets_keep_registered();
CREATE TRIGGER {0}_not_truncated BEFORE TRUNCATE ON assets_{0}
    FOR EACH STATEMENT EXECUTE FUNCTION assets_refuse_truncate();
"""
FORGET = "DROP TRIGGER {0}_not_truncated ON assets_{0}; DROP TRIGGER {0}_kept ON assets_{0};"
KEPT = "\n".join(
    [
        HOLD,
        *(KEEP_CLAIM.format(name) for name in CLAIMS),
        *(KEEP_REGISTERED.format(name) for name in REGISTERED),
    ]
)
UNDO = "\n".join(
    [
        *(FORGET.format(name) for name in (*CLAIMS, *REGISTERED)),
        """
DROP TRIGGER flag_not_truncated ON assets_qualityflag;
DROP TRIGGER flag_kept ON assets_qualityflag;
DROP TRIGGER relationship_goes_nowhere_round ON assets_relationship;
DROP TRIGGER member_was_approved ON assets_groupmember;
DROP TRIGGER deployment_was_approved ON assets_deployment;
DROP FUNCTION assets_check_round();
DROP FUNCTION assets_check_member();
DROP FUNCTION assets_check_deployment();
DROP FUNCTION assets_keep_flag();
DROP FUNCTION assets_keep_registered();
DROP FUNCTION assets_keep_claim();
DROP FUNCTION assets_refuse_truncate();
DROP FUNCTION assets_line(text, text);
DROP FUNCTION assets_is_approved(text, text, jsonb);
DROP FUNCTION assets_is_seeding();
""",
    ]
)


class Migration(migrations.Migration):

    dependencies = [
        ('approvals', '0005_powers_go_through_it'),
        ('assets', '0001_initial'),
        ('venues', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Alias',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('valid_from', models.DateTimeField(blank=True, null=True, verbose_name='true since')),
                ('valid_to', models.DateTimeField(blank=True, null=True, verbose_name='true until')),
                ('recorded_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('superseded_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('source', models.CharField(help_text='Who says so: a person, a list, a venue.', max_length=120)),
                ('ticker', models.CharField(max_length=32)),
                ('is_primary', models.BooleanField(default=False)),
            ],
            options={
                'verbose_name_plural': 'aliases',
                'ordering': ['-recorded_at'],
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='AssetGroup',
            fields=[
                ('version', models.PositiveIntegerField(default=1)),
                ('metadata', models.JSONField(blank=True, default=dict)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('retired_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('retired_reason', models.CharField(blank=True, editable=False, max_length=300)),
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('canonical_symbol', models.CharField(max_length=32)),
                ('name', models.CharField(max_length=120)),
            ],
            options={
                'ordering': ['canonical_symbol'],
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='Chain',
            fields=[
                ('version', models.PositiveIntegerField(default=1)),
                ('metadata', models.JSONField(blank=True, default=dict)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('retired_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('retired_reason', models.CharField(blank=True, editable=False, max_length=300)),
                ('id', models.SlugField(max_length=40, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=80)),
                ('family', models.CharField(choices=[('evm', 'EVM'), ('solana', 'Solana'), ('utxo', 'UTXO'), ('cosmos', 'Cosmos'), ('tron', 'Tron'), ('other', 'Other')], max_length=8)),
                ('rpc_urls', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=300, validators=[django.core.validators.URLValidator(schemes=['https', 'http'])]), blank=True, default=list, help_text='Public ones only: never one that carries a key.', size=None, verbose_name='RPC addresses')),
                ('explorer_url', models.CharField(blank=True, max_length=300, validators=[django.core.validators.URLValidator(schemes=['https', 'http'])])),
            ],
            options={
                'ordering': ['name'],
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='Deployment',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('valid_from', models.DateTimeField(blank=True, null=True, verbose_name='true since')),
                ('valid_to', models.DateTimeField(blank=True, null=True, verbose_name='true until')),
                ('recorded_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('superseded_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('source', models.CharField(help_text='Who says so: a person, a list, a venue.', max_length=120)),
                ('address', models.CharField(max_length=120)),
                ('address_key', models.GeneratedField(db_persist=True, expression=models.Case(models.When(address__regex='^0x[0-9a-fA-F]+$', then=django.db.models.functions.text.Lower('address')), default=models.F('address')), output_field=models.CharField(max_length=120))),
                ('decimals', models.PositiveSmallIntegerField()),
                ('is_canonical', models.BooleanField(default=False, help_text='The one the issuer itself means on this chain.')),
                ('last_verified_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ['-recorded_at'],
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='GroupMember',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('valid_from', models.DateTimeField(blank=True, null=True, verbose_name='true since')),
                ('valid_to', models.DateTimeField(blank=True, null=True, verbose_name='true until')),
                ('recorded_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('superseded_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('source', models.CharField(help_text='Who says so: a person, a list, a venue.', max_length=120)),
                ('is_canonical', models.BooleanField(default=False)),
                ('is_for_risk', models.BooleanField(default=False, verbose_name='counts for risk')),
                ('is_for_pnl', models.BooleanField(default=False, verbose_name='counts for PnL')),
            ],
            options={
                'ordering': ['-recorded_at'],
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='Identifier',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('valid_from', models.DateTimeField(blank=True, null=True, verbose_name='true since')),
                ('valid_to', models.DateTimeField(blank=True, null=True, verbose_name='true until')),
                ('recorded_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('superseded_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('source', models.CharField(help_text='Who says so: a person, a list, a venue.', max_length=120)),
                ('scheme', models.CharField(choices=[('coingecko', 'CoinGecko'), ('coinmarketcap', 'CoinMarketCap'), ('defillama', 'DefiLlama'), ('iso4217', 'ISO 4217'), ('venue', 'Code at a venue')], max_length=16)),
                ('value', models.CharField(max_length=120)),
                ('last_verified_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ['-recorded_at'],
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='QualityFlag',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('scam', 'Scam'), ('exploit', 'Exploit'), ('depeg', 'Depeg'), ('unverified', 'Unverified contract'), ('audit', 'Audit finding'), ('illiquid', 'Illiquid'), ('regulatory', 'Regulatory'), ('sanctions', 'Sanctions')], max_length=12, verbose_name='type')),
                ('severity', models.PositiveSmallIntegerField(choices=[(10, 'Info'), (20, 'Low'), (30, 'Medium'), (40, 'High'), (50, 'Critical')])),
                ('source_kind', models.CharField(choices=[('person', 'A person of the desk'), ('auditor', 'An auditor')], default='person', max_length=8)),
                ('source', models.CharField(help_text="The auditor's name, or who found it.", max_length=120)),
                ('evidence_url', models.CharField(blank=True, max_length=500, validators=[django.core.validators.URLValidator(schemes=['https', 'http'])])),
                ('note', models.TextField(blank=True)),
                ('valid_from', models.DateTimeField(verbose_name='true since')),
                ('raised_at', models.DateTimeField(editable=False)),
                ('review_on', models.DateField(blank=True, null=True)),
                ('expires_at', models.DateTimeField(blank=True, null=True)),
                ('cleared_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('cleared_reason', models.CharField(blank=True, editable=False, max_length=500)),
            ],
            options={
                'ordering': ['-severity', '-raised_at'],
            },
        ),
        migrations.CreateModel(
            name='Relationship',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('valid_from', models.DateTimeField(blank=True, null=True, verbose_name='true since')),
                ('valid_to', models.DateTimeField(blank=True, null=True, verbose_name='true until')),
                ('recorded_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('superseded_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('source', models.CharField(help_text='Who says so: a person, a list, a venue.', max_length=120)),
                ('kind', models.CharField(choices=[('wraps', 'wraps'), ('stakes', 'stakes'), ('bridges', 'is bridged from'), ('migrated_to', 'migrated to'), ('synthetic_of', 'is a synthetic of')], max_length=12)),
                ('ratio_rule', models.CharField(choices=[('none', 'No ratio is stated'), ('fixed', 'A fixed ratio'), ('rate', 'A rate that somebody publishes')], default='none', max_length=5)),
                ('ratio', assets.fields.AmountField(blank=True, decimal_places=24, max_digits=60, null=True)),
                ('rate_source', models.CharField(blank=True, max_length=200)),
                ('evidence', models.CharField(blank=True, max_length=500)),
            ],
            options={
                'ordering': ['-recorded_at'],
                'abstract': False,
            },
        ),
        migrations.AddField(
            model_name='asset',
            name='category',
            field=models.CharField(blank=True, help_text="The desk's own word, such as layer 1 or exchange.", max_length=40),
        ),
        migrations.AddField(
            model_name='asset',
            name='metadata',
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddField(
            model_name='asset',
            name='precision',
            field=models.PositiveSmallIntegerField(blank=True, help_text='Decimals of its smallest unit; empty where deployments differ or nobody knows.', null=True),
        ),
        migrations.AddField(
            model_name='asset',
            name='retired_at',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='asset',
            name='retired_reason',
            field=models.CharField(blank=True, editable=False, max_length=300),
        ),
        migrations.AddField(
            model_name='asset',
            name='version',
            field=models.PositiveIntegerField(default=1),
        ),
        migrations.AlterField(
            model_name='asset',
            name='kind',
            field=models.CharField(choices=[('native', 'Native coin'), ('token', 'Token'), ('stablecoin', 'Stablecoin'), ('wrapped', 'Wrapped'), ('staked', 'Staked'), ('lp', 'Share of a pool'), ('fiat', 'Fiat money'), ('perpetual', 'Underlying of a perpetual'), ('equity', 'Equity-like')], max_length=16),
        ),
        migrations.AddIndex(
            model_name='asset',
            index=models.Index(django.db.models.functions.text.Upper('name'), name='asset_by_name'),
        ),
        migrations.AddConstraint(
            model_name='asset',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('retired_at', None), ('retired_reason', '')), models.Q(('retired_at__isnull', False), models.Q(('retired_reason', ''), _negated=True)), _connector='OR'), name='asset_retires_with_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='asset',
            constraint=models.CheckConstraint(condition=models.Q(('precision', None), ('precision__lte', 36), _connector='OR'), name='asset_precision_bounded'),
        ),
        migrations.AddField(
            model_name='alias',
            name='approval',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='approvals.request'),
        ),
        migrations.AddField(
            model_name='alias',
            name='asset',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='aliases', to='assets.asset'),
        ),
        migrations.AddField(
            model_name='alias',
            name='recorded_by',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='assetgroup',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('retired_at', None), ('retired_reason', '')), models.Q(('retired_at__isnull', False), models.Q(('retired_reason', ''), _negated=True)), _connector='OR'), name='assetgroup_retires_with_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='assetgroup',
            constraint=models.CheckConstraint(condition=models.Q(('canonical_symbol', ''), _negated=True), name='group_has_a_symbol'),
        ),
        migrations.AddConstraint(
            model_name='assetgroup',
            constraint=models.UniqueConstraint(django.db.models.functions.text.Upper('canonical_symbol'), condition=models.Q(('retired_at', None)), name='group_symbol_once'),
        ),
        migrations.AddField(
            model_name='chain',
            name='native_asset',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='native_of', to='assets.asset'),
        ),
        migrations.AddField(
            model_name='deployment',
            name='approval',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='approvals.request'),
        ),
        migrations.AddField(
            model_name='deployment',
            name='asset',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deployments', to='assets.asset'),
        ),
        migrations.AddField(
            model_name='deployment',
            name='chain',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deployments', to='assets.chain'),
        ),
        migrations.AddField(
            model_name='deployment',
            name='recorded_by',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='groupmember',
            name='approval',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='approvals.request'),
        ),
        migrations.AddField(
            model_name='groupmember',
            name='asset',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='memberships', to='assets.asset'),
        ),
        migrations.AddField(
            model_name='groupmember',
            name='group',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='members', to='assets.assetgroup'),
        ),
        migrations.AddField(
            model_name='groupmember',
            name='recorded_by',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='identifier',
            name='approval',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='approvals.request'),
        ),
        migrations.AddField(
            model_name='identifier',
            name='asset',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='identifiers', to='assets.asset'),
        ),
        migrations.AddField(
            model_name='identifier',
            name='recorded_by',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='qualityflag',
            name='approval',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='approvals.request'),
        ),
        migrations.AddField(
            model_name='qualityflag',
            name='asset',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='flags', to='assets.asset'),
        ),
        migrations.AddField(
            model_name='qualityflag',
            name='cleared_by',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='qualityflag',
            name='raised_by',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='relationship',
            name='approval',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='approvals.request'),
        ),
        migrations.AddField(
            model_name='relationship',
            name='asset',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='stands_on', to='assets.asset'),
        ),
        migrations.AddField(
            model_name='relationship',
            name='other',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='stood_on_by', to='assets.asset'),
        ),
        migrations.AddField(
            model_name='relationship',
            name='recorded_by',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddIndex(
            model_name='alias',
            index=models.Index(django.db.models.functions.text.Upper('ticker'), models.F('recorded_at'), name='alias_by_ticker'),
        ),
        migrations.AddConstraint(
            model_name='alias',
            constraint=models.CheckConstraint(condition=models.Q(('valid_from', None), ('valid_to', None), ('valid_to__gt', models.F('valid_from')), _connector='OR'), name='alias_is_true_for_a_while'),
        ),
        migrations.AddConstraint(
            model_name='alias',
            constraint=models.CheckConstraint(condition=models.Q(('superseded_at', None), ('superseded_at__gte', models.F('recorded_at')), _connector='OR'), name='alias_is_superseded_after_it_was_recorded'),
        ),
        migrations.AddConstraint(
            model_name='alias',
            constraint=models.CheckConstraint(condition=models.Q(('source', ''), _negated=True), name='alias_has_a_source'),
        ),
        migrations.AddConstraint(
            model_name='alias',
            constraint=models.CheckConstraint(condition=models.Q(('ticker', ''), _negated=True), name='alias_has_a_ticker'),
        ),
        migrations.AddConstraint(
            model_name='alias',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(expressions=[('asset', '='), (django.db.models.functions.text.Upper('ticker'), '='), (models.Func(models.F('valid_from'), models.F('valid_to'), function='tstzrange', output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField()), '&&'), (models.Func(models.F('recorded_at'), models.F('superseded_at'), function='tstzrange', output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField()), '&&')], name='alias_said_once'),
        ),
        migrations.AddConstraint(
            model_name='alias',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('is_primary', True)), expressions=[('asset', '='), (models.Func(models.F('valid_from'), models.F('valid_to'), function='tstzrange', output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField()), '&&'), (models.Func(models.F('recorded_at'), models.F('superseded_at'), function='tstzrange', output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField()), '&&')], name='one_primary_alias_an_asset'),
        ),
        migrations.AddConstraint(
            model_name='chain',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('retired_at', None), ('retired_reason', '')), models.Q(('retired_at__isnull', False), models.Q(('retired_reason', ''), _negated=True)), _connector='OR'), name='chain_retires_with_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='chain',
            constraint=models.CheckConstraint(condition=models.Q(('id__regex', '^[a-z0-9][a-z0-9-]*$')), name='chain_id_is_a_short_name'),
        ),
        migrations.AddConstraint(
            model_name='chain',
            constraint=models.CheckConstraint(condition=models.Q(('family__in', ['evm', 'solana', 'utxo', 'cosmos', 'tron', 'other'])), name='chain_family_is_known'),
        ),
        migrations.AddIndex(
            model_name='deployment',
            index=models.Index(fields=['chain', 'address_key', 'recorded_at'], name='deployment_by_key'),
        ),
        migrations.AddConstraint(
            model_name='deployment',
            constraint=models.CheckConstraint(condition=models.Q(('valid_from', None), ('valid_to', None), ('valid_to__gt', models.F('valid_from')), _connector='OR'), name='deployment_is_true_for_a_while'),
        ),
        migrations.AddConstraint(
            model_name='deployment',
            constraint=models.CheckConstraint(condition=models.Q(('superseded_at', None), ('superseded_at__gte', models.F('recorded_at')), _connector='OR'), name='deployment_is_superseded_after_it_was_recorded'),
        ),
        migrations.AddConstraint(
            model_name='deployment',
            constraint=models.CheckConstraint(condition=models.Q(('source', ''), _negated=True), name='deployment_has_a_source'),
        ),
        migrations.AddConstraint(
            model_name='deployment',
            constraint=models.CheckConstraint(condition=models.Q(('address__regex', '^[^[:space:]]+$')), name='deployment_address_is_one_word'),
        ),
        migrations.AddConstraint(
            model_name='deployment',
            constraint=models.CheckConstraint(condition=models.Q(('decimals__lte', 36)), name='deployment_decimals_bounded'),
        ),
        migrations.AddConstraint(
            model_name='deployment',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(expressions=[('chain', '='), ('address_key', '='), (models.Func(models.F('valid_from'), models.F('valid_to'), function='tstzrange', output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField()), '&&'), (models.Func(models.F('recorded_at'), models.F('superseded_at'), function='tstzrange', output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField()), '&&')], name='one_asset_an_address'),
        ),
        migrations.AddConstraint(
            model_name='deployment',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('is_canonical', True)), expressions=[('asset', '='), ('chain', '='), (models.Func(models.F('valid_from'), models.F('valid_to'), function='tstzrange', output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField()), '&&'), (models.Func(models.F('recorded_at'), models.F('superseded_at'), function='tstzrange', output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField()), '&&')], name='one_canonical_deployment'),
        ),
        migrations.AddConstraint(
            model_name='groupmember',
            constraint=models.CheckConstraint(condition=models.Q(('valid_from', None), ('valid_to', None), ('valid_to__gt', models.F('valid_from')), _connector='OR'), name='groupmember_is_true_for_a_while'),
        ),
        migrations.AddConstraint(
            model_name='groupmember',
            constraint=models.CheckConstraint(condition=models.Q(('superseded_at', None), ('superseded_at__gte', models.F('recorded_at')), _connector='OR'), name='groupmember_is_superseded_after_it_was_recorded'),
        ),
        migrations.AddConstraint(
            model_name='groupmember',
            constraint=models.CheckConstraint(condition=models.Q(('source', ''), _negated=True), name='groupmember_has_a_source'),
        ),
        migrations.AddConstraint(
            model_name='groupmember',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(expressions=[('group', '='), ('asset', '='), (models.Func(models.F('valid_from'), models.F('valid_to'), function='tstzrange', output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField()), '&&'), (models.Func(models.F('recorded_at'), models.F('superseded_at'), function='tstzrange', output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField()), '&&')], name='member_of_a_group_once'),
        ),
        migrations.AddConstraint(
            model_name='groupmember',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('is_canonical', True)), expressions=[('group', '='), (models.Func(models.F('valid_from'), models.F('valid_to'), function='tstzrange', output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField()), '&&'), (models.Func(models.F('recorded_at'), models.F('superseded_at'), function='tstzrange', output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField()), '&&')], name='one_canonical_member'),
        ),
        migrations.AddConstraint(
            model_name='groupmember',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('is_for_risk', True)), expressions=[('asset', '='), (models.Func(models.F('valid_from'), models.F('valid_to'), function='tstzrange', output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField()), '&&'), (models.Func(models.F('recorded_at'), models.F('superseded_at'), function='tstzrange', output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField()), '&&')], name='one_group_for_risk'),
        ),
        migrations.AddConstraint(
            model_name='groupmember',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('is_for_pnl', True)), expressions=[('asset', '='), (models.Func(models.F('valid_from'), models.F('valid_to'), function='tstzrange', output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField()), '&&'), (models.Func(models.F('recorded_at'), models.F('superseded_at'), function='tstzrange', output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField()), '&&')], name='one_group_for_pnl'),
        ),
        migrations.AddIndex(
            model_name='identifier',
            index=models.Index(fields=['scheme', 'value', 'recorded_at'], name='identifier_by_value'),
        ),
        migrations.AddConstraint(
            model_name='identifier',
            constraint=models.CheckConstraint(condition=models.Q(('valid_from', None), ('valid_to', None), ('valid_to__gt', models.F('valid_from')), _connector='OR'), name='identifier_is_true_for_a_while'),
        ),
        migrations.AddConstraint(
            model_name='identifier',
            constraint=models.CheckConstraint(condition=models.Q(('superseded_at', None), ('superseded_at__gte', models.F('recorded_at')), _connector='OR'), name='identifier_is_superseded_after_it_was_recorded'),
        ),
        migrations.AddConstraint(
            model_name='identifier',
            constraint=models.CheckConstraint(condition=models.Q(('source', ''), _negated=True), name='identifier_has_a_source'),
        ),
        migrations.AddConstraint(
            model_name='identifier',
            constraint=models.CheckConstraint(condition=models.Q(('value', ''), _negated=True), name='identifier_has_a_value'),
        ),
        migrations.AddConstraint(
            model_name='identifier',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('scheme', 'venue'), _negated=True), ('value__regex', '^[a-z0-9_-]+:.+$'), _connector='OR'), name='identifier_names_its_venue'),
        ),
        migrations.AddConstraint(
            model_name='identifier',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(expressions=[('scheme', '='), ('value', '='), (models.Func(models.F('valid_from'), models.F('valid_to'), function='tstzrange', output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField()), '&&'), (models.Func(models.F('recorded_at'), models.F('superseded_at'), function='tstzrange', output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField()), '&&')], name='identifier_means_one_asset'),
        ),
        migrations.AddIndex(
            model_name='qualityflag',
            index=models.Index(condition=models.Q(('cleared_at', None)), fields=['asset', 'severity'], name='flag_standing_by_asset'),
        ),
        migrations.AddConstraint(
            model_name='qualityflag',
            constraint=models.CheckConstraint(condition=models.Q(('severity__in', [10, 20, 30, 40, 50])), name='flag_severity_is_known'),
        ),
        migrations.AddConstraint(
            model_name='qualityflag',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('evidence_url', ''), _negated=True), models.Q(('note', ''), _negated=True), _connector='OR'), name='flag_shows_evidence'),
        ),
        migrations.AddConstraint(
            model_name='qualityflag',
            constraint=models.CheckConstraint(condition=models.Q(('source', ''), _negated=True), name='flag_has_a_source'),
        ),
        migrations.AddConstraint(
            model_name='qualityflag',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('cleared_at', None), ('cleared_reason', '')), models.Q(('cleared_at__gte', models.F('raised_at')), ('cleared_at__isnull', False), models.Q(('cleared_reason', ''), _negated=True)), _connector='OR'), name='flag_cleared_with_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='qualityflag',
            constraint=models.CheckConstraint(condition=models.Q(('expires_at', None), models.Q(('expires_at__gt', models.F('valid_from')), ('severity__lt', 40)), _connector='OR'), name='flag_that_is_severe_never_lapses'),
        ),
        migrations.AddIndex(
            model_name='relationship',
            index=models.Index(fields=['other', 'kind'], name='relationship_by_other'),
        ),
        migrations.AddConstraint(
            model_name='relationship',
            constraint=models.CheckConstraint(condition=models.Q(('valid_from', None), ('valid_to', None), ('valid_to__gt', models.F('valid_from')), _connector='OR'), name='relationship_is_true_for_a_while'),
        ),
        migrations.AddConstraint(
            model_name='relationship',
            constraint=models.CheckConstraint(condition=models.Q(('superseded_at', None), ('superseded_at__gte', models.F('recorded_at')), _connector='OR'), name='relationship_is_superseded_after_it_was_recorded'),
        ),
        migrations.AddConstraint(
            model_name='relationship',
            constraint=models.CheckConstraint(condition=models.Q(('source', ''), _negated=True), name='relationship_has_a_source'),
        ),
        migrations.AddConstraint(
            model_name='relationship',
            constraint=models.CheckConstraint(condition=models.Q(('asset', models.F('other')), _negated=True), name='relationship_is_no_loop'),
        ),
        migrations.AddConstraint(
            model_name='relationship',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('rate_source', ''), ('ratio', None), ('ratio_rule', 'none')), models.Q(('rate_source', ''), ('ratio__gt', 0), ('ratio__isnull', False), ('ratio_rule', 'fixed')), models.Q(('ratio', None), ('ratio_rule', 'rate'), models.Q(('rate_source', ''), _negated=True)), _connector='OR'), name='relationship_ratio_fits_its_rule'),
        ),
        migrations.AddConstraint(
            model_name='relationship',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(expressions=[('asset', '='), ('kind', '='), ('other', '='), (models.Func(models.F('valid_from'), models.F('valid_to'), function='tstzrange', output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField()), '&&'), (models.Func(models.F('recorded_at'), models.F('superseded_at'), function='tstzrange', output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField()), '&&')], name='relationship_said_once'),
        ),
        migrations.RunSQL(TICKERS, migrations.RunSQL.noop),
        migrations.RunSQL(KEPT, UNDO),
    ]
