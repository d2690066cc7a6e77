"""What the apps offer each other by dotted path: a lower app calls what a higher one has, without importing it."""

TRADING_CHECKS = [
    "trading.services.checks.switch_is_on",
    "trading.services.checks.account_can_trade",
    "trading.services.checks.key_may_trade",
    "trading.services.checks.symbol_is_tradable",
    "trading.services.quality.no_flag_stands_against_it",
    "trading.services.checks.fits_the_venue_steps",
    "trading.services.checks.book_is_fresh",
    "trading.services.checks.price_is_near_the_touch",
    "trading.services.checks.within_the_order_limit",
    "trading.services.checks.small_enough_for_one_person",
    "trading.services.resting.venue_is_not_resting",
]

# What can be asked for, each kind offered by its app.
APPROVAL_KINDS = {
    "access.role": "cqops.platform.approvals.services.roles.role_kind",
    "access.way_in": "cqops.platform.approvals.services.ways_in.way_in_kind",
    "access.token": "cqops.platform.approvals.services.programs.token_kind",
    "approvals.rule": "cqops.platform.approvals.services.proposals.rule_kind",
    "approvals.stand_in": "cqops.platform.approvals.services.proposals.stand_in_kind",
    "assets.deployment": "assets.services.deployments.deployment_kind",
    "assets.canonical_member": "assets.services.groups.canonical_kind",
    "assets.clear_flag": "assets.services.flags.clear_kind",
    "assets.merge": "assets.services.merging.merge_kind",
    "assets.import": "assets.services.importing.asking.apply_kind",
    "assets.import_undo": "assets.services.importing.asking.undo_kind",
    "venues.credential": "venues.services.keys.key_kind",
    "venues.symbol": "venues.services.mapping.symbol_kind",
    "trading.switch": "trading.services.switching.switch_kind",
    "trading.order": "trading.services.approvals.order_kind",
    "portfolio.close_break": "portfolio.services.closing.close_kind",
}

# What waits for somebody, in the order of the first page.
OVERVIEW_PROVIDERS = [
    "cqops.platform.approvals.overview.rows",
    "trading.overview.rows",
    "portfolio.overview.rows",
    "venues.overview.rows",
    "assets.overview.rows",
    "cqops.platform.audit.overview.rows",
    "cqops.platform.events.overview.rows",
    "cqops.platform.telemetry.overview.rows",
]
