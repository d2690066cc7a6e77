"""An order keeps what its symbol stood for when it was placed: the database refuses to point it elsewhere."""

from django.db import migrations

KEEP = """
CREATE FUNCTION trading_keep_symbol() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an order keeps what its symbol stood for' USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER order_keeps_its_symbol BEFORE UPDATE OF symbol_id ON trading_order
    FOR EACH ROW WHEN (OLD.symbol_id IS DISTINCT FROM NEW.symbol_id)
    EXECUTE FUNCTION trading_keep_symbol();
"""
UNDO = """
DROP TRIGGER order_keeps_its_symbol ON trading_order;
DROP FUNCTION trading_keep_symbol();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0007_orders_keep_their_trace"),
        ("venues", "0006_symbols_mean_what_two_people_said"),
    ]
    operations = [migrations.RunSQL(KEEP, UNDO)]
