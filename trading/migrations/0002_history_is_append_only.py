"""Executions and moves are history: the database itself refuses to change or delete them.

Only one change is allowed: an execution that was booked before its order or symbol was known may be
given them, once.
"""

from django.db import migrations

REFUSE = """
CREATE FUNCTION trading_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only history', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION trading_only_claim_execution() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.order_id IS NOT NULL AND NEW.order_id IS DISTINCT FROM OLD.order_id)
       OR (OLD.symbol_id IS NOT NULL AND NEW.symbol_id IS DISTINCT FROM OLD.symbol_id)
       OR (to_jsonb(NEW) - 'order_id' - 'symbol_id') <> (to_jsonb(OLD) - 'order_id' - 'symbol_id')
    THEN
        RAISE EXCEPTION 'an execution report is append-only history'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER execution_not_deleted BEFORE DELETE ON trading_executionreport
    FOR EACH ROW EXECUTE FUNCTION trading_refuse_change();
CREATE TRIGGER execution_only_claimed BEFORE UPDATE ON trading_executionreport
    FOR EACH ROW EXECUTE FUNCTION trading_only_claim_execution();
CREATE TRIGGER move_not_changed BEFORE UPDATE OR DELETE ON trading_ordermove
    FOR EACH ROW EXECUTE FUNCTION trading_refuse_change();
"""
UNDO = """
DROP TRIGGER move_not_changed ON trading_ordermove;
DROP TRIGGER execution_only_claimed ON trading_executionreport;
DROP TRIGGER execution_not_deleted ON trading_executionreport;
DROP FUNCTION trading_only_claim_execution();
DROP FUNCTION trading_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("trading", "0001_initial")]
    operations = [migrations.RunSQL(REFUSE, UNDO)]
