"""What venues list, apart from what their symbols stand for, with the promises PostgreSQL keeps.

- What a symbol stands for is a claim on two clocks, recorded and superseded with the approval of exactly that,
  released in this same transaction. Steps and status alone follow the venue. One that the venue lists no longer
  may be said again until then by nobody.
- A listing that says something else of its instrument than before is not mapped, proposed or set aside any more.
  It is mapped only as two people agreed, to a claim of the same instrument that stands.
- Nothing is deleted.

What stood until now stands on: each symbol becomes the claim of a listing of its own, known since it was true.
"""

import assets.fields
import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


LISTINGS = """
INSERT INTO venues_listing (
    id, venue_id, symbol, said_base, said_quote, kind, contract_size, price_tick, quantity_step,
    min_quantity, min_notional, status, standing, why, listed_at, gone_at
)
SELECT known.id, known.venue_id, known.symbol, base.symbol, quote.symbol, 'spot', 1, known.price_tick,
    known.quantity_step, known.min_quantity, known.min_notional,
    CASE known.status WHEN 'suspended' THEN 'tradable' ELSE known.status END,
    CASE WHEN known.status = 'suspended' OR known.valid_to IS NOT NULL THEN 'suspended' ELSE 'mapped' END,
    CASE
        WHEN known.valid_to IS NOT NULL THEN 'It ended before listings were kept.'
        WHEN known.status = 'suspended' THEN 'It was suspended before reasons were kept.'
        ELSE ''
    END,
    known.valid_from, known.valid_to
FROM venues_venuesymbol known
JOIN assets_asset base ON base.id = known.base_id JOIN assets_asset quote ON quote.id = known.quote_id;
UPDATE venues_venuesymbol SET listing_id = id, recorded_at = least(valid_from, recorded_at),
    status = CASE status WHEN 'suspended' THEN 'tradable' ELSE status END;
SET CONSTRAINTS ALL IMMEDIATE;
"""
HOLD = """
CREATE FUNCTION venues_said(base uuid, quote uuid, kind text, contract_size numeric) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT format('[%s/%s/%s/%s]', base, quote, kind, trim_scale(contract_size))
$$;

CREATE FUNCTION venues_is_agreed(about uuid, said text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT assets_is_seeding() OR EXISTS (
        SELECT 1 FROM approvals_request asked
        CROSS JOIN jsonb_array_elements(asked.instruction) line
        JOIN venues_listing listed ON listed.id = about
        JOIN venues_venue venue ON venue.id = listed.venue_id
        WHERE asked.id::text = current_setting('cqops.approval', true)
            AND asked.kind = 'venues.symbol' AND asked.state = 'executed'
            AND asked.executed_at >= transaction_timestamp() - interval '5 minutes'
            AND line->>'label' = venue.slug || ':' || listed.symbol
            AND right(line->>'text', length(said)) = said
    )
$$;

CREATE FUNCTION venues_check_symbol() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moving text[] := ARRAY['superseded_at', 'synced_at', 'status', 'price_tick', 'quantity_step',
        'min_quantity', 'min_notional'];
    soon timestamptz := clock_timestamp() + interval '5 minutes';
    lately timestamptz := transaction_timestamp() - interval '5 minutes';
    is_gone boolean;
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a claim is superseded, never deleted' USING ERRCODE = 'restrict_violation';
    END IF;
    SELECT listed.gone_at IS NOT NULL INTO STRICT is_gone FROM venues_listing listed
        WHERE listed.id = NEW.listing_id AND listed.venue_id = NEW.venue_id
        AND listed.symbol = NEW.symbol;
    IF TG_OP = 'UPDATE' THEN
        IF (to_jsonb(NEW) - moving) <> (to_jsonb(OLD) - moving) OR (
            NEW.superseded_at IS DISTINCT FROM OLD.superseded_at AND (
                OLD.superseded_at IS NOT NULL
                OR NOT assets_is_seeding() AND NEW.superseded_at NOT BETWEEN lately AND soon
            )
        ) THEN
            RAISE EXCEPTION 'a claim is never edited, only superseded once'
                USING ERRCODE = 'restrict_violation';
        END IF;
        IF NEW.superseded_at IS DISTINCT FROM OLD.superseded_at
            AND NOT is_gone AND NOT venues_is_agreed(NEW.listing_id, '')
        THEN
            RAISE EXCEPTION 'what a symbol stands for is changed with a second person'
                USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF NOT assets_is_seeding()
        AND (NEW.superseded_at IS NOT NULL OR NEW.recorded_at NOT BETWEEN lately AND soon)
    THEN
        RAISE EXCEPTION 'a claim is recorded when it is recorded'
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NOT venues_is_agreed(
            NEW.listing_id, venues_said(NEW.base_id, NEW.quote_id, NEW.kind, NEW.contract_size))
        -- What stood before it is said again, until the moment it ends.
        AND NOT ((is_gone OR venues_is_agreed(NEW.listing_id, '')) AND EXISTS (
            SELECT 1 FROM venues_venuesymbol former
            WHERE former.superseded_at = NEW.recorded_at AND NEW.valid_to IS NOT NULL
                AND former.listing_id = NEW.listing_id
                AND former.valid_from IS NOT DISTINCT FROM NEW.valid_from
                AND venues_said(former.base_id, former.quote_id, former.kind, former.contract_size)
                = venues_said(NEW.base_id, NEW.quote_id, NEW.kind, NEW.contract_size)
        ))
    THEN
        RAISE EXCEPTION 'what a symbol stands for is recorded with a second person'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION venues_check_listing() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    said text;
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a listing ends, and is never deleted' USING ERRCODE = 'restrict_violation';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.standing <> 'unmapped' AND NOT assets_is_seeding() THEN
            RAISE EXCEPTION 'what is new at a venue is not mapped' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.id, NEW.venue_id, NEW.symbol, NEW.listed_at)
        <> (OLD.id, OLD.venue_id, OLD.symbol, OLD.listed_at)
        OR (OLD.gone_at IS NOT NULL AND NEW.gone_at IS DISTINCT FROM OLD.gone_at)
    THEN
        RAISE EXCEPTION 'a listing keeps its symbol, and ends once' USING ERRCODE = 'restrict_violation';
    END IF;
    IF (NEW.said_base, NEW.said_quote, NEW.kind, NEW.contract_size)
        <> (OLD.said_base, OLD.said_quote, OLD.kind, OLD.contract_size)
        AND NEW.standing NOT IN ('unmapped', 'suspended')
    THEN
        RAISE EXCEPTION 'what now says something else is looked at again by two people'
            USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.standing = 'mapped' AND OLD.standing <> 'mapped' AND NOT assets_is_seeding() THEN
        SELECT venues_said(known.base_id, known.quote_id, known.kind, known.contract_size) INTO said
            FROM venues_venuesymbol known
            WHERE known.listing_id = NEW.id AND known.superseded_at IS NULL AND known.valid_to IS NULL
                AND (known.kind, known.contract_size) = (NEW.kind, NEW.contract_size);
        IF said IS NULL OR NOT venues_is_agreed(NEW.id, said) THEN
            RAISE EXCEPTION 'a symbol is mapped with a second person' USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER venue_symbol_was_agreed BEFORE INSERT OR UPDATE OR DELETE ON venues_venuesymbol
    FOR EACH ROW EXECUTE FUNCTION venues_check_symbol();
CREATE TRIGGER venue_symbol_not_truncated BEFORE TRUNCATE ON venues_venuesymbol
    FOR EACH STATEMENT EXECUTE FUNCTION assets_refuse_truncate();
CREATE TRIGGER listing_kept BEFORE INSERT OR UPDATE OR DELETE ON venues_listing
    FOR EACH ROW EXECUTE FUNCTION venues_check_listing();
CREATE TRIGGER listing_not_truncated BEFORE TRUNCATE ON venues_listing
    FOR EACH STATEMENT EXECUTE FUNCTION assets_refuse_truncate();
"""
UNDO = """
DROP TRIGGER listing_not_truncated ON venues_listing;
DROP TRIGGER listing_kept ON venues_listing;
DROP TRIGGER venue_symbol_not_truncated ON venues_venuesymbol;
DROP TRIGGER venue_symbol_was_agreed ON venues_venuesymbol;
DROP FUNCTION venues_check_listing();
DROP FUNCTION venues_check_symbol();
DROP FUNCTION venues_is_agreed(uuid, text);
DROP FUNCTION venues_said(uuid, uuid, text, numeric);
"""


class Migration(migrations.Migration):

    dependencies = [
        ('approvals', '0005_powers_go_through_it'),
        ('assets', '0002_the_registry'),
        ('venues', '0005_answers_that_repeat_are_references'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Listing',
            fields=[
                ('price_tick', assets.fields.AmountField(decimal_places=24, max_digits=60)),
                ('quantity_step', assets.fields.AmountField(decimal_places=24, max_digits=60)),
                ('min_quantity', assets.fields.AmountField(decimal_places=24, max_digits=60)),
                ('min_notional', assets.fields.AmountField(decimal_places=24, max_digits=60)),
                ('status', models.CharField(choices=[('tradable', 'Tradable'), ('halted', 'Halted by the venue'), ('gone', 'No longer listed by the venue')], default='tradable', max_length=10, verbose_name='at the venue')),
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('symbol', models.CharField(max_length=80)),
                ('said_base', models.CharField(max_length=40, verbose_name='base, says the venue')),
                ('said_quote', models.CharField(max_length=40, verbose_name='quote, says the venue')),
                ('kind', models.CharField(choices=[('spot', 'Spot'), ('perpetual', 'Perpetual'), ('future', 'Future'), ('custody', 'Held in custody')], default='spot', max_length=10, verbose_name='instrument')),
                ('contract_size', assets.fields.AmountField(decimal_places=24, default=1, help_text='How much of the base one unit of quantity is, multiplier and all.', max_digits=60)),
                ('standing', models.CharField(choices=[('unmapped', 'Not mapped'), ('proposed', 'Proposed'), ('mapped', 'Mapped'), ('suspended', 'Suspended by the desk'), ('not_traded', 'Not traded by the desk')], default='unmapped', max_length=10, verbose_name='at the desk')),
                ('why', models.CharField(blank=True, max_length=500, verbose_name='because')),
                ('listed_at', models.DateTimeField()),
                ('missing_since', models.DateTimeField(blank=True, null=True)),
                ('gone_at', models.DateTimeField(blank=True, null=True, verbose_name='gone since')),
            ],
            options={
                'ordering': ['venue__name', 'symbol'],
            },
        ),
        migrations.RemoveConstraint(
            model_name='venuesymbol',
            name='venue_symbol_means_one_thing',
        ),
        migrations.AddField(
            model_name='venuesymbol',
            name='approval',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='approvals.request'),
        ),
        migrations.AddField(
            model_name='venuesymbol',
            name='contract_size',
            field=assets.fields.AmountField(decimal_places=24, default=1, max_digits=60),
        ),
        migrations.AddField(
            model_name='venuesymbol',
            name='kind',
            field=models.CharField(choices=[('spot', 'Spot'), ('perpetual', 'Perpetual'), ('future', 'Future'), ('custody', 'Held in custody')], default='spot', max_length=10, verbose_name='instrument'),
        ),
        migrations.AddField(
            model_name='venuesymbol',
            name='recorded_at',
            field=models.DateTimeField(default=django.utils.timezone.now, editable=False),
        ),
        migrations.AddField(
            model_name='venuesymbol',
            name='recorded_by',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='venuesymbol',
            name='source',
            field=models.CharField(default='the desk', help_text='Who says so: a person, a list, a venue.', max_length=120),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name='venuesymbol',
            name='symbol',
            field=models.CharField(max_length=80),
        ),
        migrations.AddField(
            model_name='venuesymbol',
            name='superseded_at',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AlterField(
            model_name='venuesymbol',
            name='status',
            field=models.CharField(choices=[('tradable', 'Tradable'), ('halted', 'Halted by the venue'), ('gone', 'No longer listed by the venue')], default='tradable', max_length=10, verbose_name='at the venue'),
        ),
        migrations.AlterField(
            model_name='venuesymbol',
            name='valid_from',
            field=models.DateTimeField(blank=True, null=True, verbose_name='true since'),
        ),
        migrations.AlterField(
            model_name='venuesymbol',
            name='valid_to',
            field=models.DateTimeField(blank=True, null=True, verbose_name='true until'),
        ),
        migrations.AddField(
            model_name='listing',
            name='request',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='approvals.request'),
        ),
        migrations.AddField(
            model_name='listing',
            name='venue',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='listings', to='venues.venue'),
        ),
        migrations.AddField(
            model_name='venuesymbol',
            name='listing',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='meanings', to='venues.listing'),
        ),
        migrations.RunSQL(LISTINGS, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name='venuesymbol',
            name='listing',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='meanings', to='venues.listing'),
        ),
        migrations.AddIndex(
            model_name='venuesymbol',
            index=models.Index(fields=['venue', 'symbol', 'recorded_at'], name='venue_symbol_by_name'),
        ),
        migrations.AddConstraint(
            model_name='venuesymbol',
            constraint=models.CheckConstraint(condition=models.Q(('valid_from', None), ('valid_to', None), ('valid_to__gt', models.F('valid_from')), _connector='OR'), name='venuesymbol_is_true_for_a_while'),
        ),
        migrations.AddConstraint(
            model_name='venuesymbol',
            constraint=models.CheckConstraint(condition=models.Q(('superseded_at', None), ('superseded_at__gte', models.F('recorded_at')), _connector='OR'), name='venuesymbol_is_superseded_after_it_was_recorded'),
        ),
        migrations.AddConstraint(
            model_name='venuesymbol',
            constraint=models.CheckConstraint(condition=models.Q(('source', ''), _negated=True), name='venuesymbol_has_a_source'),
        ),
        migrations.AddConstraint(
            model_name='venuesymbol',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(expressions=[('venue', '='), ('symbol', '='), (models.Func(models.F('valid_from'), models.F('valid_to'), function='tstzrange', output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField()), '&&'), (models.Func(models.F('recorded_at'), models.F('superseded_at'), function='tstzrange', output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField()), '&&')], name='venue_symbol_means_one_thing'),
        ),
        migrations.AddConstraint(
            model_name='venuesymbol',
            constraint=models.CheckConstraint(condition=models.Q(('contract_size__gt', 0)), name='venue_symbol_contract_size_positive'),
        ),
        migrations.AddConstraint(
            model_name='venuesymbol',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['tradable', 'halted', 'gone'])), name='venue_symbol_status_is_known'),
        ),
        migrations.AddConstraint(
            model_name='venuesymbol',
            constraint=models.CheckConstraint(condition=models.Q(('base', models.F('quote')), _negated=True), name='venue_symbol_is_not_paid_with_itself'),
        ),
        migrations.AddIndex(
            model_name='listing',
            index=models.Index(fields=['standing', 'venue', 'symbol'], name='listing_by_standing'),
        ),
        migrations.AddConstraint(
            model_name='listing',
            constraint=models.UniqueConstraint(condition=models.Q(('gone_at', None)), fields=('venue', 'symbol'), name='listed_once_a_venue'),
        ),
        migrations.AddConstraint(
            model_name='listing',
            constraint=models.CheckConstraint(condition=models.Q(('standing__in', ['unmapped', 'proposed', 'mapped', 'suspended', 'not_traded'])), name='listing_standing_is_known'),
        ),
        migrations.AddConstraint(
            model_name='listing',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['tradable', 'halted', 'gone'])), name='listing_status_is_known'),
        ),
        migrations.AddConstraint(
            model_name='listing',
            constraint=models.CheckConstraint(condition=models.Q(('contract_size__gt', 0)), name='listing_contract_size_positive'),
        ),
        migrations.AddConstraint(
            model_name='listing',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('standing__in', ['suspended', 'not_traded']), _negated=True), models.Q(('why', ''), _negated=True), _connector='OR'), name='listing_says_why_it_stopped'),
        ),
        migrations.AddConstraint(
            model_name='listing',
            constraint=models.CheckConstraint(condition=models.Q(('gone_at', None), models.Q(('standing', 'mapped'), _negated=True), _connector='OR'), name='listing_that_is_gone_is_not_mapped'),
        ),
        migrations.RunSQL(HOLD, UNDO),
    ]
