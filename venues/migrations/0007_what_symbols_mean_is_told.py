"""Whoever keeps what a venue's symbol means is told when that changes: not with every sync of its steps."""

from django.db import migrations

BEGIN = """
CREATE CONSTRAINT TRIGGER assets_tells
    AFTER INSERT OR UPDATE OF superseded_at OR DELETE ON venues_venuesymbol
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION assets_tell('venue_symbols');
CREATE CONSTRAINT TRIGGER assets_tells
    AFTER UPDATE OF slug, name OR DELETE ON venues_venue
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION assets_tell('venue_symbols');
SELECT assets_moved('venue_symbols');
"""
END = """
DROP TRIGGER assets_tells ON venues_venue;
DROP TRIGGER assets_tells ON venues_venuesymbol;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('assets', '0004_indexes_and_what_changed'),
        ('venues', '0006_symbols_mean_what_two_people_said'),
    ]

    operations = [migrations.RunSQL(BEGIN, END)]
