"""Lists are imported: the file, its lines and what became of them, and the contracts they may bring.

- A line is written while its batch is being read, and never after: what two people agreed to is exactly what the
  digest in their approval is of. A batch moves from state to state as the table below says, and is never deleted.
- A contract of a list is taken with the approval of its batch, and only as its line says it: asset, chain, address,
  decimals, canonical, and the id it was given before anybody agreed. Undoing one takes an approval of its own.
"""

import assets.imports.formats
import django.contrib.postgres.fields
import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models

MOVES = """
    ('mapping', 'checking'), ('mapping', 'dropped'),
    ('checking', 'ready'), ('checking', 'mapping'), ('checking', 'unreadable'),
    ('unreadable', 'dropped'),
    ('ready', 'checking'), ('ready', 'asked'), ('ready', 'applying'), ('ready', 'dropped'),
    ('asked', 'ready'), ('asked', 'applying'),
    ('applying', 'applied'), ('applying', 'ready'),
    ('applied', 'undo_asked'), ('applied', 'undoing'),
    ('undo_asked', 'applied'), ('undo_asked', 'undoing'),
    ('undoing', 'undone'), ('undoing', 'applied')
"""
HOLD = """
CREATE FUNCTION assets_keep_import() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'an import is given up or undone, never deleted'
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.id <> OLD.id OR NEW.uploaded_by_id <> OLD.uploaded_by_id
        OR (NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (%(moves)s))
    THEN
        RAISE EXCEPTION 'an import does not go from %% to %%', OLD.state, NEW.state
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION assets_keep_import_content() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state NOT IN ('mapping', 'checking', 'ready') THEN
        RAISE EXCEPTION 'what was asked for stays as it was asked'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION assets_keep_import_row() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    here bigint := CASE WHEN TG_OP = 'INSERT' THEN NULL ELSE OLD.id END;
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM assets_importbatch
        WHERE id = CASE WHEN TG_OP = 'DELETE' THEN OLD.batch_id ELSE NEW.batch_id END
            AND state = 'checking'
    ) OR (TG_OP = 'UPDATE' AND (NEW.id, NEW.batch_id) <> (here, OLD.batch_id)) THEN
        RAISE EXCEPTION 'a line of a list stays as it was read' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;

CREATE FUNCTION assets_import_is_approved(wanted text, batch uuid) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT 1 FROM approvals_request asked JOIN assets_importbatch brought ON brought.id = batch
        WHERE asked.id = nullif(current_setting('cqops.approval', true), '')::uuid
            AND asked.kind = wanted AND asked.state = 'executed'
            AND asked.executed_at >= transaction_timestamp() - interval '5 minutes'
            AND asked.subject_id = batch::text
            AND asked.instruction @> assets_line('Digest', brought.digest)
    )
$$;

CREATE FUNCTION assets_import_brings(claim assets_deployment) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF coalesce(current_setting('cqops.approval', true), '') = '' THEN
        RETURN false;
    END IF;
    RETURN EXISTS (
        SELECT 1 FROM assets_importrow said
        WHERE said.deployment_id = claim.id AND said.batch_id = claim.batch_id
            AND said.deeds && ARRAY['contract', 'correction']::varchar[]
            AND (said.asset_id, said.chain, said.address, said.decimals, said.is_canonical)
                = (claim.asset_id, claim.chain_id, claim.address, claim.decimals, claim.is_canonical)
            AND assets_import_is_approved('assets.import', said.batch_id)
    ) OR EXISTS (
        -- Undoing says again what stood before.
        SELECT 1 FROM assets_deployment former
        JOIN assets_importrow said ON said.former_deployment_id = former.id
        WHERE former.chain_id = claim.chain_id
            AND (former.asset_id, former.address, former.decimals, former.is_canonical)
                = (claim.asset_id, claim.address, claim.decimals, claim.is_canonical)
            AND former.valid_from IS NOT DISTINCT FROM claim.valid_from
            AND former.valid_to IS NOT DISTINCT FROM claim.valid_to
            AND 'correction' = ANY (said.deeds)
            AND assets_import_is_approved('assets.import_undo', said.batch_id)
    );
END $$;

CREATE FUNCTION assets_import_takes_back(claim assets_deployment) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF coalesce(current_setting('cqops.approval', true), '') = '' THEN
        RETURN false;
    END IF;
    RETURN EXISTS (
        SELECT 1 FROM assets_importrow said
        WHERE said.former_deployment_id = claim.id AND 'correction' = ANY (said.deeds)
            AND assets_import_is_approved('assets.import', said.batch_id)
    ) OR (
        claim.batch_id IS NOT NULL
        AND assets_import_is_approved('assets.import_undo', claim.batch_id)
    );
END $$;

CREATE TRIGGER import_kept BEFORE UPDATE OR DELETE ON assets_importbatch
    FOR EACH ROW EXECUTE FUNCTION assets_keep_import();
CREATE TRIGGER import_content_kept
    BEFORE UPDATE OF source, file_hash, content, form, mapping, digest, leaves_errors_out
    ON assets_importbatch FOR EACH ROW EXECUTE FUNCTION assets_keep_import_content();
CREATE TRIGGER import_not_truncated BEFORE TRUNCATE ON assets_importbatch
    FOR EACH STATEMENT EXECUTE FUNCTION assets_refuse_truncate();
CREATE TRIGGER import_row_kept BEFORE INSERT OR UPDATE OR DELETE ON assets_importrow
    FOR EACH ROW EXECUTE FUNCTION assets_keep_import_row();
CREATE TRIGGER import_row_not_truncated BEFORE TRUNCATE ON assets_importrow
    FOR EACH STATEMENT EXECUTE FUNCTION assets_refuse_truncate();

CREATE OR REPLACE FUNCTION assets_check_deployment() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    place jsonb;
    content jsonb;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        place := assets_line('Chain', OLD.chain_id) || assets_line('Address', OLD.address);
        IF NEW.superseded_at IS NOT NULL AND NOT assets_import_takes_back(OLD)
            AND NOT assets_is_approved('assets.deployment', NULL, place)
        THEN
            RAISE EXCEPTION 'where an asset lives is changed with a second person'
                USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    place := assets_line('Chain', NEW.chain_id) || assets_line('Address', NEW.address);
    IF assets_import_brings(NEW) THEN
        RETURN NEW;
    END IF;
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
""" % {"moves": MOVES}
UNDO = """
CREATE OR REPLACE FUNCTION assets_check_deployment() RETURNS trigger LANGUAGE plpgsql AS $$
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

DROP TRIGGER import_row_not_truncated ON assets_importrow;
DROP TRIGGER import_row_kept ON assets_importrow;
DROP TRIGGER import_not_truncated ON assets_importbatch;
DROP TRIGGER import_content_kept ON assets_importbatch;
DROP TRIGGER import_kept ON assets_importbatch;
DROP FUNCTION assets_import_takes_back(assets_deployment);
DROP FUNCTION assets_import_brings(assets_deployment);
DROP FUNCTION assets_import_is_approved(text, uuid);
DROP FUNCTION assets_keep_import_row();
DROP FUNCTION assets_keep_import_content();
DROP FUNCTION assets_keep_import();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('approvals', '0005_powers_go_through_it'),
        ('assets', '0004_indexes_and_what_changed'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ImportBatch',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('source', models.CharField(help_text='Whose list it is.', max_length=120)),
                ('file_name', models.CharField(max_length=200)),
                ('file_hash', models.CharField(max_length=64)),
                ('content', models.BinaryField()),
                ('form', models.CharField(choices=[(assets.imports.formats.Format['COINS'], assets.imports.formats.Format['COINS']), (assets.imports.formats.Format['TOKENS'], assets.imports.formats.Format['TOKENS']), (assets.imports.formats.Format['CSV'], assets.imports.formats.Format['CSV']), (assets.imports.formats.Format['XLSX'], assets.imports.formats.Format['XLSX'])], max_length=8, verbose_name='format')),
                ('mapping', models.JSONField(blank=True, default=dict)),
                ('state', models.CharField(choices=[('mapping', 'Columns to choose'), ('checking', 'Being read'), ('ready', 'Read, nothing applied'), ('asked', 'Waits for a second person'), ('applying', 'Being applied'), ('applied', 'Applied'), ('undo_asked', 'Undo waits for a second person'), ('undoing', 'Being undone'), ('undone', 'Undone'), ('unreadable', 'Cannot be read'), ('dropped', 'Given up')], max_length=12)),
                ('words', models.CharField(blank=True, help_text='What went otherwise.', max_length=500)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('counts', models.JSONField(blank=True, default=dict)),
                ('digest', models.CharField(blank=True, max_length=64)),
                ('leaves_errors_out', models.BooleanField(default=False)),
                ('reason', models.CharField(blank=True, max_length=300)),
                ('uploaded_at', models.DateTimeField()),
                ('moved_at', models.DateTimeField()),
                ('applied_at', models.DateTimeField(blank=True, null=True)),
                ('undone_at', models.DateTimeField(blank=True, null=True)),
                ('applied_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('approval', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='approvals.request')),
                ('undo_approval', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='approvals.request')),
                ('undone_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('uploaded_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'import',
                'ordering': ['-uploaded_at'],
            },
        ),
        migrations.AddField(
            model_name='alias',
            name='batch',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='assets.importbatch'),
        ),
        migrations.AddField(
            model_name='deployment',
            name='batch',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='assets.importbatch'),
        ),
        migrations.AddField(
            model_name='identifier',
            name='batch',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='assets.importbatch'),
        ),
        migrations.CreateModel(
            name='ImportRow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('line', models.PositiveIntegerField()),
                ('place', models.CharField(blank=True, max_length=120)),
                ('subject', models.CharField(blank=True, max_length=200)),
                ('asset_ref', models.UUIDField(null=True)),
                ('symbol', models.CharField(blank=True, max_length=32)),
                ('name', models.CharField(blank=True, max_length=120)),
                ('kind', models.CharField(blank=True, max_length=16)),
                ('category', models.CharField(blank=True, max_length=40)),
                ('coingecko', models.CharField(blank=True, max_length=120)),
                ('coinmarketcap', models.CharField(blank=True, max_length=120)),
                ('defillama', models.CharField(blank=True, max_length=120)),
                ('chain', models.CharField(blank=True, max_length=40)),
                ('address', models.CharField(blank=True, max_length=120)),
                ('decimals', models.PositiveSmallIntegerField(null=True)),
                ('is_canonical', models.BooleanField(default=False)),
                ('outcome', models.CharField(blank=True, choices=[('error', 'Error'), ('conflicting', 'Conflicting'), ('changed', 'Changed'), ('new', 'New'), ('ignored', 'Ignored')], max_length=11)),
                ('words', models.CharField(blank=True, max_length=500)),
                ('deeds', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=10), default=list, size=None)),
                ('known_id', models.UUIDField(null=True)),
                ('asset_id', models.UUIDField(null=True)),
                ('asset_version', models.PositiveIntegerField(null=True)),
                ('deployment_id', models.UUIDField(null=True)),
                ('former_deployment_id', models.UUIDField(null=True)),
                ('former_alias_id', models.UUIDField(null=True)),
                ('former_name', models.CharField(blank=True, max_length=120)),
                ('batch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='rows', to='assets.importbatch')),
            ],
            options={
                'ordering': ['batch', 'number'],
            },
        ),
        migrations.AddIndex(
            model_name='importbatch',
            index=models.Index(fields=['-uploaded_at', '-id'], name='import_by_time'),
        ),
        migrations.AddIndex(
            model_name='importbatch',
            index=models.Index(condition=models.Q(('state__in', ['applying', 'checking', 'undoing'])), fields=['moved_at'], name='import_at_work'),
        ),
        migrations.AddConstraint(
            model_name='importbatch',
            constraint=models.CheckConstraint(condition=models.Q(('source', ''), _negated=True), name='import_has_a_source'),
        ),
        migrations.AddConstraint(
            model_name='importbatch',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['mapping', 'checking', 'ready', 'asked', 'applying', 'applied', 'undo_asked', 'undoing', 'undone', 'unreadable', 'dropped'])), name='import_state_is_known'),
        ),
        migrations.AddIndex(
            model_name='importrow',
            index=models.Index(fields=['batch', 'outcome', 'number'], name='import_row_by_outcome'),
        ),
        migrations.AddIndex(
            model_name='importrow',
            index=models.Index(condition=models.Q(('deployment_id__isnull', False)), fields=['deployment_id'], name='import_row_by_deployment'),
        ),
        migrations.AddIndex(
            model_name='importrow',
            index=models.Index(condition=models.Q(('former_deployment_id__isnull', False)), fields=['former_deployment_id'], name='import_row_by_former'),
        ),
        migrations.AddIndex(
            model_name='importrow',
            index=models.Index(condition=models.Q(('asset_version__isnull', False)), fields=['asset_id'], name='import_row_by_asset'),
        ),
        migrations.AddConstraint(
            model_name='importrow',
            constraint=models.UniqueConstraint(fields=('batch', 'number'), name='import_row_once'),
        ),
        migrations.RunSQL(HOLD, UNDO),
    ]
