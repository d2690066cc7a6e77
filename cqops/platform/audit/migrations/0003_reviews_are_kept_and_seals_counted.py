"""Reviews only grow too, and the number of the newest seal is held where no row can be deleted.

A sequence is not a table: whoever deletes the newest seals with their entries leaves it standing, and
`verify` asks it how far the chain once reached. It is set after a seal's commit, never before, so that
it can fall behind the chain for a moment but never run ahead of it.
"""

from django.db import migrations, models

REFUSE = """
CREATE SEQUENCE audit_seal_given;
SELECT setval('audit_seal_given', max(sequence)) FROM audit_seal HAVING max(sequence) IS NOT NULL;

CREATE OR REPLACE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' AND current_database() LIKE 'test\\_%'
       AND current_setting('cqops.test_flush', true) = 'on'
    THEN
        IF TG_TABLE_NAME = 'audit_seal' THEN
            PERFORM setval('audit_seal_given', 1, false);
        END IF;
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER audit_review_kept BEFORE UPDATE OR DELETE ON audit_review
    FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_review_not_truncated BEFORE TRUNCATE ON audit_review
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
"""
UNDO = """
DROP TRIGGER audit_review_not_truncated ON audit_review;
DROP TRIGGER audit_review_kept ON audit_review;
CREATE OR REPLACE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' AND current_database() LIKE 'test\\_%'
       AND current_setting('cqops.test_flush', true) = 'on'
    THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;
DROP SEQUENCE audit_seal_given;
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_append_only")]
    operations = [
        migrations.AddField(
            model_name="review",
            name="seal_hash",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.RunSQL(REFUSE, UNDO),
    ]
