"""The steps by which the lines of a batch are judged, as statements over sets, in their order.

Each takes the lines that nothing stands against yet. First what the file says against itself, then which asset each
line is about, then what stands here against it, and last what is left to do.
"""

from __future__ import annotations

from assets.imports.lines import SCHEMES
from assets.models import Scheme

# What is held to be true at the moment of judging.
HOLDS = """
    {0}.superseded_at IS NULL
    AND ({0}.valid_from IS NULL OR {0}.valid_from <= %(now)s)
    AND ({0}.valid_to IS NULL OR {0}.valid_to > %(now)s)
"""
BEGIN = """
DROP TABLE IF EXISTS pg_temp.import_judged, pg_temp.import_subject;
CREATE TEMP TABLE import_judged ON COMMIT DROP AS
SELECT number, line, subject, asset_ref, symbol, name, coingecko, coinmarketcap, defillama, chain,
    address, decimals, is_canonical,
    CASE WHEN address ~ '^0x[0-9a-fA-F]+$' THEN lower(address) ELSE address END AS address_key,
    false AS is_head, false AS is_there,
    ''::text AS outcome, ''::text AS words, '{}'::text[] AS deeds,
    NULL::uuid AS known_id, NULL::int AS asset_version,
    NULL::uuid AS former_deployment_id, NULL::uuid AS former_alias_id, ''::text AS former_name
FROM assets_importrow WHERE batch_id = %(batch)s AND subject <> '';
ANALYZE pg_temp.import_judged;
"""
# Of a list of the whole world, much is on chains that are not traded here.
ELSEWHERE = """
UPDATE import_judged SET outcome = 'ignored', words = 'No chain here is called ' || chain || '.'
WHERE chain <> '' AND NOT EXISTS (
    SELECT 1 FROM assets_chain known WHERE known.id = chain AND known.retired_at IS NULL)
"""
SAID_TWICE = """
UPDATE import_judged SET outcome = 'error', words = 'Line ' || told.first || ' says the same already.'
FROM (
    SELECT number, row_number() OVER same AS place, first_value(line) OVER same AS first
    FROM import_judged WHERE outcome = ''
    WINDOW same AS (PARTITION BY subject, chain, address_key ORDER BY number)
) told
WHERE told.number = import_judged.number AND told.place > 1
"""
OF_TWO = """
UPDATE import_judged SET outcome = 'error',
    words = 'Line ' || told.first || ' gives the same {what} to another asset.'
FROM (
    SELECT number, subject, first_value(line) OVER same AS first,
        first_value(subject) OVER same AS whose
    FROM import_judged WHERE outcome = '' AND {column} <> ''
    WINDOW same AS (PARTITION BY {key} ORDER BY number)
) told
WHERE told.number = import_judged.number AND told.subject <> told.whose
"""
HEADS = """
UPDATE import_judged SET is_head = true FROM (
    SELECT DISTINCT ON (subject) number FROM import_judged
    WHERE outcome = '' ORDER BY subject, number
) first WHERE first.number = import_judged.number
"""
DISAGREES = """
UPDATE import_judged said SET outcome = 'error',
    words = 'Line ' || head.line || ' says otherwise of the same asset: ' || head.symbol || ', '
        || head.name || '.'
FROM import_judged head
WHERE head.subject = said.subject AND head.is_head AND NOT said.is_head AND said.outcome = ''
    AND ((said.symbol <> '' AND said.symbol <> head.symbol)
        OR (said.name <> '' AND said.name <> head.name)
        OR (said.coingecko <> '' AND said.coingecko <> head.coingecko)
        OR (said.coinmarketcap <> '' AND said.coinmarketcap <> head.coinmarketcap)
        OR (said.defillama <> '' AND said.defillama <> head.defillama))
"""
CANONICAL_TWICE = """
UPDATE import_judged SET outcome = 'error',
    words = 'Line ' || told.first || ' names another canonical contract on this chain.'
FROM (
    SELECT number, row_number() OVER same AS place, first_value(line) OVER same AS first
    FROM import_judged WHERE outcome = '' AND is_canonical AND chain <> ''
    WINDOW same AS (PARTITION BY subject, chain ORDER BY number)
) told
WHERE told.number = import_judged.number AND told.place > 1
"""
NO_SUCH_ASSET = """
UPDATE import_judged SET outcome = 'error', words = 'There is no asset with this id here.'
WHERE outcome = '' AND asset_ref IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM assets_asset WHERE id = asset_ref)
"""
_BY_IDENTIFIER = """
    SELECT said.subject, 2, found.asset_id FROM import_judged said
    JOIN assets_identifier found ON found.scheme = '{scheme}' AND found.value = said.{scheme}
    WHERE said.outcome = '' AND said.{scheme} <> '' AND {holds}
"""
# An id of ours says most, an identifier more than an address; a ticker says nothing.
FOUND = """
CREATE TEMP TABLE import_subject ON COMMIT DROP AS
WITH evidence (subject, strength, asset_id) AS (
    SELECT subject, 1, asset_ref FROM import_judged WHERE outcome = '' AND asset_ref IS NOT NULL
    {by_identifier}
    UNION
    SELECT said.subject, 3, found.asset_id FROM import_judged said
    JOIN assets_deployment found
        ON found.chain_id = said.chain AND found.address_key = said.address_key
    WHERE said.outcome = '' AND said.chain <> '' AND {holds}
), strongest AS (
    SELECT subject, asset_id FROM (
        SELECT *, min(strength) OVER (PARTITION BY subject) AS least FROM evidence
    ) ranked WHERE strength = least
)
SELECT subject, (array_agg(DISTINCT asset_id))[1] AS known_id, count(DISTINCT asset_id) AS count,
    string_agg(DISTINCT asset.name || ' (' || asset.symbol || ')', ', ') AS labels,
    max(asset.retired_reason) AS retired_reason
FROM strongest JOIN assets_asset asset ON asset.id = strongest.asset_id
GROUP BY subject;
ANALYZE pg_temp.import_subject;
"""
KNOWN = """
UPDATE import_judged said SET known_id = CASE WHEN found.count = 1 THEN found.known_id END,
    outcome = CASE WHEN found.count > 1 OR found.retired_reason <> '' THEN 'conflicting' ELSE '' END,
    words = CASE
        WHEN found.count > 1 THEN 'These are several assets here: ' || found.labels || '.'
        WHEN found.retired_reason <> ''
            THEN found.labels || ' was retired here: ' || found.retired_reason
        ELSE '' END
FROM import_subject found
WHERE found.subject = said.subject AND said.outcome = ''
"""
ENDED_ID = """
UPDATE import_judged said SET outcome = 'conflicting',
    words = '{label} id ' || said.{scheme} || ' is known here for another time, until '
        || coalesce(to_char(ended.valid_to AT TIME ZONE 'UTC', 'YYYY-MM-DD'), 'further notice')
        || ', by ' || ended.source || '.'
FROM assets_identifier ended
WHERE said.outcome = '' AND said.is_head AND said.{scheme} <> '' AND ended.scheme = '{scheme}'
    AND ended.value = said.{scheme} AND ended.superseded_at IS NULL AND NOT ({holds})
    AND NOT EXISTS (
        SELECT 1 FROM assets_identifier present WHERE present.scheme = '{scheme}'
            AND present.value = said.{scheme} AND {present_holds})
"""
TAKEN_ID = """
UPDATE import_judged said SET outcome = 'conflicting',
    words = '{label} id ' || stands.value || ' is ' || asset.name || ' (' || asset.symbol || ') here.'
FROM assets_identifier stands JOIN assets_asset asset ON asset.id = stands.asset_id
WHERE said.outcome = '' AND said.is_head AND said.known_id IS NOT NULL AND said.{scheme} <> ''
    AND stands.scheme = '{scheme}' AND stands.value = said.{scheme}
    AND stands.asset_id <> said.known_id AND {holds}
"""
OTHER_ID = """
UPDATE import_judged said SET outcome = 'conflicting',
    words = 'Its {label} id is ' || stands.value || ' here, by ' || stands.source || '.'
FROM assets_identifier stands
WHERE said.outcome = '' AND said.is_head AND said.{scheme} <> ''
    AND stands.asset_id = said.known_id AND stands.scheme = '{scheme}'
    AND stands.value <> said.{scheme} AND {holds}
    AND NOT EXISTS (
        SELECT 1 FROM assets_identifier same WHERE same.scheme = '{scheme}'
            AND same.value = said.{scheme} AND same.superseded_at IS NULL)
"""
NEW_ID = """
UPDATE import_judged said SET deeds = deeds || 'identifier'::text
WHERE outcome = '' AND is_head AND {scheme} <> '' AND NOT 'identifier' = ANY (deeds)
    AND NOT EXISTS (
        SELECT 1 FROM assets_identifier stands WHERE stands.scheme = '{scheme}'
        AND stands.value = said.{scheme} AND {holds})
"""
# What a source said last, and nobody changed since, it may say otherwise.
_OWN = """
    EXISTS (
        SELECT 1 FROM assets_importrow before JOIN assets_importbatch whose
            ON whose.id = before.batch_id
        WHERE before.asset_id = asset.id AND before.asset_version = asset.version
            AND whose.source = %(source)s AND whose.state IN ('applied', 'undo_asked'))
"""
_CALLED = """
    EXISTS (
        SELECT 1 FROM assets_alias called WHERE called.asset_id = asset.id
            AND upper(called.ticker) = upper(said.symbol) AND {holds})
"""
OTHERWISE_CALLED = """
UPDATE import_judged said SET outcome = 'conflicting',
    words = 'This desk calls it ' || asset.name || ' (' || asset.symbol || '), and that stays.'
FROM assets_asset asset
WHERE asset.id = said.known_id AND said.outcome = '' AND said.is_head AND NOT {own}
    AND ((said.name <> '' AND lower(said.name) <> lower(asset.name))
        OR (said.symbol <> '' AND NOT {called}))
"""
RENAMED = """
UPDATE import_judged said SET deeds = deeds || 'name'::text, former_name = asset.name,
    asset_version = asset.version + 1
FROM assets_asset asset
WHERE asset.id = said.known_id AND said.outcome = '' AND said.is_head
    AND said.name <> '' AND said.name <> asset.name AND lower(said.name) <> lower(asset.name)
"""
RETITLED = """
UPDATE import_judged said SET deeds = deeds || 'ticker'::text, former_alias_id = present.id,
    asset_version = asset.version + 1
FROM assets_asset asset JOIN assets_alias present
    ON present.asset_id = asset.id AND present.is_primary AND {holds}
WHERE asset.id = said.known_id AND said.outcome = '' AND said.is_head
    AND said.symbol <> '' AND NOT {called}
"""
NEW_ASSET = """
UPDATE import_judged SET deeds = ARRAY['asset'] || deeds, asset_version = 1
WHERE outcome = '' AND is_head AND known_id IS NULL
"""
THERE = """
UPDATE import_judged said SET is_there = true,
    outcome = CASE
        WHEN stands.asset_id IS DISTINCT FROM said.known_id THEN 'conflicting'
        WHEN NOT {holds} THEN 'conflicting'
        WHEN said.decimals IS NULL OR (said.decimals = stands.decimals
            AND (stands.is_canonical OR NOT said.is_canonical)) THEN ''
        WHEN stands.batch_id IS NOT NULL AND stands.source = %(source)s THEN ''
        ELSE 'conflicting' END,
    words = CASE
        WHEN NOT {holds} THEN 'Its address is ' || asset.name || ' (' || asset.symbol
            || ') here, but at another time, by ' || stands.source || '.'
        WHEN stands.asset_id IS DISTINCT FROM said.known_id
            THEN 'Its address is ' || asset.name || ' (' || asset.symbol || ') here.'
        WHEN said.decimals IS NULL OR (said.decimals = stands.decimals
            AND (stands.is_canonical OR NOT said.is_canonical)) THEN ''
        WHEN stands.batch_id IS NOT NULL AND stands.source = %(source)s THEN ''
        ELSE 'The list says ' || said.decimals || ' decimals'
            || CASE WHEN said.is_canonical THEN ', canonical' ELSE '' END || '; here stand '
            || stands.decimals || CASE WHEN stands.is_canonical THEN ', canonical' ELSE '' END
            || ', by ' || stands.source || '.' END,
    former_deployment_id = stands.id,
    deeds = CASE WHEN said.decimals IS NOT NULL AND (said.decimals <> stands.decimals
        OR (said.is_canonical AND NOT stands.is_canonical)) THEN deeds || 'correction'::text
        ELSE deeds END
FROM assets_deployment stands JOIN assets_asset asset ON asset.id = stands.asset_id
WHERE said.outcome = '' AND said.chain <> '' AND stands.chain_id = said.chain
    AND stands.address_key = said.address_key AND stands.superseded_at IS NULL
    AND ({holds} OR NOT EXISTS (
        SELECT 1 FROM assets_deployment present WHERE present.chain_id = said.chain
            AND present.address_key = said.address_key AND {present_holds}))
"""
CANONICAL_ELSEWHERE = """
UPDATE import_judged said SET outcome = 'conflicting',
    words = 'The canonical contract on this chain is ' || stands.address || ' here.'
FROM assets_deployment stands
WHERE said.outcome = '' AND said.is_canonical AND stands.is_canonical
    AND stands.asset_id = said.known_id AND stands.chain_id = said.chain
    AND stands.address_key <> said.address_key AND stands.superseded_at IS NULL
"""
NEW_CONTRACT = """
UPDATE import_judged SET deeds = deeds || 'contract'::text
WHERE outcome = '' AND chain <> '' AND NOT is_there AND decimals IS NOT NULL
"""
UNFOUNDED = """
UPDATE import_judged said SET outcome = 'conflicting',
    words = 'The asset it belongs to is not brought in.'
WHERE outcome = '' AND known_id IS NULL AND NOT EXISTS (
    SELECT 1 FROM import_judged head
    WHERE head.subject = said.subject AND head.outcome = '' AND 'asset' = ANY (head.deeds))
"""
SHARED_TICKER = """
UPDATE import_judged said SET words = 'Others in use go by ' || said.symbol || ': ' || shared.names
FROM (
    SELECT upper(called.ticker) AS ticker, left(string_agg(DISTINCT asset.name, ', '), 200) AS names
    FROM assets_alias called JOIN assets_asset asset
        ON asset.id = called.asset_id AND asset.retired_at IS NULL
    WHERE {holds} GROUP BY upper(called.ticker)
) shared
WHERE said.outcome = '' AND 'asset' = ANY (said.deeds) AND shared.ticker = upper(said.symbol)
"""
VERDICT = """
UPDATE import_judged SET
    outcome = CASE
        WHEN deeds && ARRAY['name', 'ticker', 'correction'] THEN 'changed'
        WHEN deeds <> '{}' THEN 'new' ELSE 'ignored' END,
    words = left(concat_ws(' ', nullif(words, ''),
        CASE WHEN chain <> '' AND decimals IS NULL AND NOT is_there
                THEN 'The list does not say its decimals, so the contract is left out.'
            WHEN deeds = '{}' THEN 'All of it stands here already.' END), 500)
WHERE outcome = '';
UPDATE import_judged SET deeds = '{}', former_deployment_id = NULL, former_alias_id = NULL,
    former_name = '', asset_version = NULL
WHERE outcome IN ('error', 'conflicting', 'ignored') AND (deeds, former_deployment_id,
    former_alias_id, former_name, asset_version) IS DISTINCT FROM ('{}'::text[], NULL, NULL, '', NULL);
UPDATE import_judged SET former_deployment_id = NULL
WHERE former_deployment_id IS NOT NULL AND NOT 'correction' = ANY (deeds);
"""


def _claims(text: str, alias: str, **more: str) -> str:
    return text.format(holds=HOLDS.format(alias), **more)


def _by_scheme(text: str, alias: str, **more: str) -> list[str]:
    labels = {scheme: str(Scheme(scheme).label) for scheme in SCHEMES}
    return [_claims(text, alias, scheme=name, label=labels[name], **more) for name in SCHEMES]


_called = _claims(_CALLED, "called")
_identified = "".join(f"UNION {one}" for one in _by_scheme(_BY_IDENTIFIER, "found"))
STEPS = (
    BEGIN,
    ELSEWHERE,
    SAID_TWICE,
    OF_TWO.format(what="address", column="chain", key="chain, address_key"),
    *(OF_TWO.format(what="id", column=scheme, key=scheme) for scheme in SCHEMES),
    HEADS,
    DISAGREES,
    CANONICAL_TWICE,
    NO_SUCH_ASSET,
    _claims(FOUND, "found", by_identifier=_identified),
    KNOWN,
    *_by_scheme(ENDED_ID, "ended", present_holds=HOLDS.format("present")),
    *_by_scheme(TAKEN_ID, "stands"),
    *_by_scheme(OTHER_ID, "stands"),
    OTHERWISE_CALLED.format(own=_OWN, called=_called),
    RENAMED,
    _claims(RETITLED, "present", called=_called),
    *_by_scheme(NEW_ID, "stands"),
    NEW_ASSET,
    _claims(THERE, "stands", present_holds=HOLDS.format("present")),
    CANONICAL_ELSEWHERE,
    NEW_CONTRACT,
    UNFOUNDED,
    _claims(SHARED_TICKER, "called"),
    VERDICT,
)
