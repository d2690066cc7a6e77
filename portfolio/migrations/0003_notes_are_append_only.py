"""What was noted about a break and what a balance started with is history: the database keeps it."""

from django.db import migrations

REFUSE = """
CREATE FUNCTION portfolio_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only history', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER note_not_changed BEFORE UPDATE OR DELETE ON portfolio_breaknote
    FOR EACH ROW EXECUTE FUNCTION portfolio_refuse_change();
CREATE TRIGGER opening_balance_not_changed BEFORE UPDATE OR DELETE ON portfolio_openingbalance
    FOR EACH ROW EXECUTE FUNCTION portfolio_refuse_change();
"""
UNDO = """
DROP TRIGGER opening_balance_not_changed ON portfolio_openingbalance;
DROP TRIGGER note_not_changed ON portfolio_breaknote;
DROP FUNCTION portfolio_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("portfolio", "0002_reconciliation")]
    operations = [migrations.RunSQL(REFUSE, UNDO)]
