"""Lists and searches by an index, and the database telling every process what changed in the registry.

Whoever writes, by whichever way, also by SQL: a trigger moves the one row of `assets_told` and notifies.
It does so at the commit, once a transaction and area, so that nobody holds that row while they wait for
another. A version is the time in microseconds where that is more than the last one plus one: a database
that was restored from a backup does not come to a number again that stood for something else.

Another app has its table told of with one line in a migration, `SELECT assets_tells('a_table', 'an area')`.
`pg_trgm` is an extension that whoever owns the database may create.
"""

import django.contrib.postgres.indexes
import django.db.models.functions.text
from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations, models

AREAS = {
    "asset": "assets",
    "alias": "names",
    "identifier": "identifiers",
    "deployment": "homes",
    "chain": "homes",
    "relationship": "relations",
    "assetgroup": "groups",
    "groupmember": "groups",
    "merge": "merges",
    "qualityflag": "flags",
}
TOLD = """
CREATE TABLE assets_told (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version bigint NOT NULL,
    areas jsonb NOT NULL
);
INSERT INTO assets_told (version, areas) VALUES (0, '{}');

CREATE FUNCTION assets_moved(area text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    latest bigint;
BEGIN
    UPDATE assets_told
    SET version = greatest(version + 1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)
    RETURNING version INTO latest;
    UPDATE assets_told SET areas = areas || jsonb_build_object(area, latest);
    PERFORM pg_notify('assets_told', area || ' ' || latest);
    RETURN latest;
END $$;

CREATE FUNCTION assets_tell() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    told text := coalesce(current_setting('cqops.told', true), '');
BEGIN
    IF position(' ' || TG_ARGV[0] || ' ' IN told) = 0 THEN
        PERFORM assets_moved(TG_ARGV[0]);
        PERFORM set_config('cqops.told', told || ' ' || TG_ARGV[0] || ' ', true);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION assets_tells(of_table regclass, area text) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'CREATE CONSTRAINT TRIGGER assets_tells AFTER INSERT OR UPDATE OR DELETE ON %s'
        ' DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION assets_tell(%L)',
        of_table, area
    );
    RETURN assets_moved(area);
END $$;
"""
BEGIN = "\n".join([
    TOLD, *(f"SELECT assets_tells('assets_{table}', '{area}');" for table, area in AREAS.items())
])
END = "\n".join([
    *(f"DROP TRIGGER assets_tells ON assets_{table};" for table in AREAS),
    """
DROP FUNCTION assets_tells(regclass, text);
DROP FUNCTION assets_tell();
DROP FUNCTION assets_moved(text);
DROP TABLE assets_told;
""",
])


class Migration(migrations.Migration):

    dependencies = [
        ('assets', '0003_findings_and_merges'),
    ]

    operations = [
        TrigramExtension(),
        migrations.AddIndex(
            model_name='alias',
            index=models.Index(fields=['recorded_at', 'id'], name='alias_by_recording'),
        ),
        migrations.AddIndex(
            model_name='alias',
            index=django.contrib.postgres.indexes.HashIndex(django.db.models.functions.text.Upper('ticker'), name='alias_of_ticker'),
        ),
        migrations.AddIndex(
            model_name='asset',
            index=models.Index(fields=['symbol', 'id'], name='asset_by_symbol'),
        ),
        migrations.AddIndex(
            model_name='asset',
            index=django.contrib.postgres.indexes.GinIndex(django.contrib.postgres.indexes.OpClass(django.db.models.functions.text.Upper('symbol'), 'gin_trgm_ops'), name='asset_part_of_symbol'),
        ),
        migrations.AddIndex(
            model_name='asset',
            index=django.contrib.postgres.indexes.GinIndex(django.contrib.postgres.indexes.OpClass(django.db.models.functions.text.Upper('name'), 'gin_trgm_ops'), name='asset_part_of_name'),
        ),
        migrations.AddIndex(
            model_name='deployment',
            index=models.Index(fields=['recorded_at', 'id'], name='deployment_by_recording'),
        ),
        migrations.AddIndex(
            model_name='deployment',
            index=models.Index(fields=['chain', 'asset'], include=('valid_from', 'valid_to', 'recorded_at', 'superseded_at'), name='deployment_on_a_chain'),
        ),
        migrations.AddIndex(
            model_name='groupmember',
            index=models.Index(fields=['recorded_at', 'id'], name='groupmember_by_recording'),
        ),
        migrations.AddIndex(
            model_name='identifier',
            index=models.Index(fields=['recorded_at', 'id'], name='identifier_by_recording'),
        ),
        migrations.AddIndex(
            model_name='qualityflag',
            index=models.Index(fields=['raised_at', 'id'], name='flag_by_raising'),
        ),
        migrations.AddIndex(
            model_name='relationship',
            index=models.Index(fields=['recorded_at', 'id'], name='relationship_by_recording'),
        ),
        migrations.AddIndex(
            model_name='relationship',
            index=django.contrib.postgres.indexes.HashIndex(fields=['other'], name='relationship_of_other'),
        ),
        migrations.AddIndex(
            model_name='groupmember',
            index=django.contrib.postgres.indexes.HashIndex(fields=['asset'], name='groupmember_of_asset'),
        ),
        migrations.AddIndex(
            model_name='merge',
            index=models.Index(fields=['recorded_at', 'id'], name='merge_by_recording'),
        ),
        migrations.RunSQL(BEGIN, END),
    ]
