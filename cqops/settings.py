"""The one settings file. Every value comes from the environment, and a bad one stops the start."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import django_stubs_ext
import environ
from cryptography.fernet import Fernet
from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE

from cqops import openapi, seams
from cqops.env import MIN_SECRET_LENGTH, Environment, load_files
from venues.adapters.registry import ADAPTERS

django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
load_files(BASE_DIR)
env = Environment(os.environ.items())

# --- What this installation is -------------------------------------------------------------
ENVIRONMENT = env.choice("ENVIRONMENT", ["SIMULATED", "SANDBOX", "LIVE"])
IS_SIMULATED = ENVIRONMENT == "SIMULATED"
# Local mode is `make run` on one machine: plain http, and the only place with softer cookies.
LOCAL = env.flag("LOCAL")
LOCAL_DIR = Path(env.text("LOCAL_DIR", default=str(BASE_DIR / ".local")))
LIVE_VENUES = env.names("LIVE_VENUES", default="")
for _name in sorted(set(LIVE_VENUES) - set(ADAPTERS)):
    env.refuse("LIVE_VENUES", f"names {_name!r}", f"names of venues: {', '.join(sorted(ADAPTERS))}")
DEBUG = False
if LOCAL and not IS_SIMULATED:
    env.refuse("LOCAL", f"is true while ENVIRONMENT is {ENVIRONMENT}", "SIMULATED in local mode")

# --- Secrets -------------------------------------------------------------------------------
SECRET_KEY = env.secret(
    "SECRET_KEY", min_length=MIN_SECRET_LENGTH, expected=f"at least {MIN_SECRET_LENGTH} characters"
)
CREDENTIAL_KEYS = env.secrets("CREDENTIAL_KEYS", expected="Fernet keys, newest first")
for _key in CREDENTIAL_KEYS:
    try:
        Fernet(_key)
    except ValueError:
        env.refuse("CREDENTIAL_KEYS", "holds a key that is not one", "32 bytes in url-safe base64")
        break

# --- Where it answers ----------------------------------------------------------------------
ALLOWED_HOSTS = env.names("ALLOWED_HOSTS")
if "*" in ALLOWED_HOSTS and not LOCAL:
    env.refuse("ALLOWED_HOSTS", "allows every host", "the names this desk answers to")
CSRF_TRUSTED_ORIGINS = env.origins("CSRF_TRUSTED_ORIGINS")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.flag("BEHIND_PROXY") else None
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = not LOCAL
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = (
    0 if LOCAL else env.integer("HSTS_SECONDS", default=31_536_000, low=3600, high=63_072_000)
)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not LOCAL
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = env.integer("SESSION_HOURS", default=12, low=1, high=168) * 3600
# Two desks on one host (a demo beside a test run) must not sign each other out.
SESSION_COOKIE_NAME = "cqops_session"
CSRF_COOKIE_NAME = "cqops_csrf"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "manifest-src": [SELF],
    }
}
# The admin's Alpine expressions are evaluated, and set style attributes; the desk pages need neither.
ADMIN_CSP_UPDATE = {"script-src": [UNSAFE_EVAL], "style-src": [UNSAFE_INLINE]}

# --- Applications --------------------------------------------------------------------------
INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "cqops.platform.access.apps.DeskAdmin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "axes",
    "csp",
    "django_celery_beat",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "cqops.apps.CqopsConfig",
    "cqops.platform.installation",
    "cqops.platform.access.apps.AccessConfig",
    "cqops.platform.telemetry",
    "cqops.platform.audit",
    "cqops.platform.events",
    "cqops.platform.approvals",
    "cqops.platform.schedules",
    "assets",
    "venues",
    "trading",
    "portfolio",
]
MIDDLEWARE = [
    "cqops.platform.telemetry.middleware.RequestLog",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "cqops.platform.audit.middleware.Doors",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "cqops.platform.access.middleware.Person",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "cqops.urls"
WSGI_APPLICATION = "cqops.wsgi.application"
ASGI_APPLICATION = "cqops.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "cqops.site.shell",
            ],
            "builtins": ["cqops.platform.access.templatetags.desk"],
        },
    }
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- State: PostgreSQL is the truth, Redis carries what may be lost ---------------------------
DATABASE_URL = env.url("DATABASE_URL", ["postgres", "postgresql"], path=(r"[^/]+", "name"))
REDIS_URL = env.url("REDIS_URL", ["redis", "rediss"], path=(r"\d*", "0"))
DATABASES = {
    "default": {
        **environ.Env.db_url_config(DATABASE_URL),
        "CONN_MAX_AGE": 0,
        # A restarted server leaves dead connections behind: the pool tests one before use.
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "pool": {
                "min_size": 1,
                "max_size": env.integer("DATABASE_POOL", default=12, low=2, high=200),
                "timeout": 5,
            },
            "connect_timeout": 3,
        },
    }
}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
SESSION_ENGINE = "django.contrib.sessions.backends.db"

# --- People --------------------------------------------------------------------------------
AUTH_USER_MODEL = "access.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
# Wrong passwords lock one name from one address, so that nobody can lock a colleague out.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "cqops.platform.access.lockouts.locked_out"
AXES_CLIENT_IP_CALLABLE = "cqops.platform.access.addresses.client_address"
AXES_ENABLE_ADMIN = False
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False
# People with one of these roles come in with a second factor or not at all.
SECOND_FACTOR_ROLES = env.names(
    "SECOND_FACTOR_ROLES", default="" if IS_SIMULATED else "admin,approver,trader"
)
# How long after the second factor, or the password, dangerous acts need no other one.
FRESH_SECONDS = 300
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "overview"
LOGOUT_REDIRECT_URL = "sign-in"
# The parts of the desk a row belongs to, as paths of the row and of a query alike.
_OF_AN_ACCOUNT = {"venue": "account__venue_id", "account": "account_id"}
ACCESS_SCOPES = {
    "venues.Venue": {"venue": "id"},
    "venues.Listing": {"venue": "venue_id"},
    "venues.VenueSymbol": {"venue": "venue_id"},
    "venues.Account": {"venue": "venue_id", "account": "id"},
    "venues.Credential": _OF_AN_ACCOUNT,
    "venues.DriftReport": {"venue": "venue_id"},
    "venues.Maintenance": {"venue": "venue_id"},
    "approvals.Request": {
        "venue": "part_venue",
        "account": "part_account",
        "portfolio": "part_portfolio",
    },
    "trading.Portfolio": {"portfolio": "id"},
    "trading.Order": {**_OF_AN_ACCOUNT, "portfolio": "portfolio_id"},
    "trading.ExecutionReport": {**_OF_AN_ACCOUNT, "portfolio": "order__portfolio_id"},
    "portfolio.Position": {**_OF_AN_ACCOUNT, "portfolio": "portfolio_id"},
    "portfolio.Reconciliation": _OF_AN_ACCOUNT,
    "portfolio.Break": _OF_AN_ACCOUNT,
    "portfolio.OpeningBalance": _OF_AN_ACCOUNT,
}
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]

# --- Language and time: stored in UTC, shown in each person's zone -----------------------------
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True
FORMAT_MODULE_PATH = "cqops.formats"

# --- Static files --------------------------------------------------------------------------
STATIC_URL = "/static/"
# Local mode serves files from where they are written; elsewhere they are collected first.
STATIC_ROOT = None if LOCAL else BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = LOCAL
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if LOCAL
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# --- REST ----------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "cqops.platform.access.tokens.BearerToken",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["cqops.platform.access.rest.MayAct"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "cqops.api.problem",
    "COERCE_DECIMAL_TO_STRING": True,
}
SPECTACULAR_SETTINGS = openapi.DOCUMENT

# --- Celery: how it runs and what it runs when stands in cqops.celery --------------------------
DEMO_STRATEGY = IS_SIMULATED and env.flag("DEMO_STRATEGY", default=True)

# --- Events: the outbox and the streams it is published to ---------------------------------------
EVENT_SCHEMAS = [f"{app}.events.EVENTS" for app in ("assets", "venues", "trading", "portfolio")]
EVENTS_TRIES = 8
EVENTS_KEEP_DAYS = env.integer("EVENTS_KEEP_DAYS", default=7, low=1, high=365)
EVENTS_STREAM_LENGTH = env.integer("EVENTS_STREAM_LENGTH", default=100_000, low=100, high=10**8)
RELAY_JOBS = [
    "cqops.platform.events.relay.publish_waiting",
    "cqops.platform.audit.sequencer.seal",
]

# --- Audit -------------------------------------------------------------------------------------
# Outside the database, on a disk that whoever can write the database cannot write.
AUDIT_ANCHOR_FILE = Path(
    env.text("AUDIT_ANCHOR_FILE", default=str(LOCAL_DIR / "audit-anchors.jsonl") if LOCAL else None)
)
AUDIT_REDACT = "venues.transport.redact.redact"

# --- Ops events: what happens to the desk itself, and how long it is kept ------------------------
OPS_EVENTS_KEEP_DAYS = env.integer("OPS_EVENTS_KEEP_DAYS", default=90, low=2, high=3650)

# --- Raw archive: what was on the wire, and where it waits while the database is away -------------
RAW_KEEP_DAYS = env.integer("RAW_KEEP_DAYS", default=2_557, low=30, high=36_500)
RAW_SPOOL_DIR = env.text("RAW_SPOOL_DIR", default=str(LOCAL_DIR / "spool"))
RAW_SPOOL_MB = env.integer("RAW_SPOOL_MB", default=256, low=1, high=100_000)
# Public market data: a ring in the memory of the feeds, of which the time around each order is kept.
RAW_RING_MINUTES = env.integer("RAW_RING_MINUTES", default=5, low=2, high=60)
RAW_RING_MB = env.integer("RAW_RING_MB", default=64, low=1, high=4_096)
# Less free space than this, or more of it on one day, and none of that is kept; private frames are.
RAW_FREE_MB = env.integer("RAW_FREE_MB", default=2_048, low=0, high=10**7)
RAW_PUBLIC_MB_A_DAY = env.integer("RAW_PUBLIC_MB_A_DAY", default=2_048, low=0, high=10**7)

# --- Venues, trading ---------------------------------------------------------------------------
SIMULATOR_URL = env.url("SIMULATOR_URL", ["http"], default="http://127.0.0.1:8600")
SIMULATOR_DIR = Path(env.text("SIMULATOR_DIR", default=str(LOCAL_DIR / "simulator")))
BOOK_STALE_SECONDS = env.integer("BOOK_STALE_SECONDS", default=5, low=1, high=600)
ORDER_SEND_WITHIN_SECONDS = env.integer("ORDER_SEND_WITHIN_SECONDS", default=90, low=5, high=3600)
ORDER_SETTLE_SECONDS = env.integer("ORDER_SETTLE_SECONDS", default=15, low=1, high=600)
ORDER_MAX_NOTIONAL = env.integer("ORDER_MAX_NOTIONAL", default=250_000, low=1, high=10**11)
ORDER_PRICE_COLLAR_PERCENT = env.integer("ORDER_PRICE_COLLAR_PERCENT", default=10, low=1, high=90)
# Bounds of one order are in US dollars, whatever it is priced in; above this it needs a second person.
ORDER_APPROVAL_NOTIONAL = env.integer("ORDER_APPROVAL_NOTIONAL", default=50_000, low=1, high=10**11)
ORDER_APPROVAL_WITHIN_MINUTES = env.integer(
    "ORDER_APPROVAL_WITHIN_MINUTES", default=30, low=1, high=1440
)
TRADING_CHECKS = seams.TRADING_CHECKS

# --- Approvals: what can be asked for, each kind offered by its app ------------------------------
APPROVAL_WITHIN_MINUTES = env.integer("APPROVAL_WITHIN_MINUTES", default=120, low=1, high=1440)
APPROVAL_KINDS = seams.APPROVAL_KINDS
# Needs that point upwards are named here and resolved at use.
KEY_DEEDS = ["trading.services.deeds.deeds"]
REGISTRY_IMPACT = ["assets.services.guarding.flags_on", "trading.services.impact.orders_on"]
REGISTRY_IMPACT += ["portfolio.services.impact.positions_in"]
REGISTRY_TRADED_UNDER = "trading.services.impact.traded_under"
REGISTRY_CACHE_ENTRIES = env.integer("REGISTRY_CACHE_ENTRIES", default=10_000, low=0, high=10**6)
REGISTRY_VENUE_SYMBOLS = "venues.services.meaning.by_venue_symbol"
REGISTRY_VENUES_HAVING = "venues.services.having.venues_having"
SYMBOL_INTEREST = ["trading.services.interest.at_stake", "portfolio.services.interest.at_stake"]
TRADING_HELD_QUANTITY = "portfolio.services.positions.held_quantity"
OVERVIEW_PROVIDERS = seams.OVERVIEW_PROVIDERS
LIVE_CHANNELS = {
    "book": "venues.live.book_channel",
    "trades": "venues.live.trades_channel",
    "tickers": "venues.live.tickers_channel",
    "approvals": "cqops.platform.approvals.live.approvals_channel",
    "orders": "trading.live.orders_channel",
    "positions": "portfolio.live.positions_channel",
    "reconciliations": "portfolio.live.reconciliations_channel",
    "breaks": "portfolio.live.breaks_channel",
}

STATUS_PROCESSES = ["web", "live", "worker", "beat", "feeds", "reports", "relay"]
STATUS_PROVIDERS = {
    "venues": "venues.services.status.reachable",
    "audit": "cqops.platform.audit.status.chained",
    "outbox": "cqops.platform.events.status.lag",
    "orders": "trading.services.waiting.queue",
    "approvals": "cqops.platform.approvals.status.unsettled",
    "reconciliations": "portfolio.services.waiting.queue",
    "tasks": "cqops.platform.telemetry.backlog.queue",
}
if IS_SIMULATED:
    STATUS_PROVIDERS["simulator"] = "venues.services.status.simulator"

# --- Metrics: every process on a port of its own, from this one upward; 0 is none ---------------
METRICS_PORT = env.integer("METRICS_PORT", default=9090, low=0, high=65000)
# What is looked up when somebody asks, by the process that answers for it.
METRICS_PROVIDERS = {
    "worker": ["trading.metrics.open_orders", "assets.metrics.findings_open"],
    "feeds": ["venues.metrics.books"],
    "relay": ["cqops.platform.events.metrics.outbox"],
}

# --- Traces: where they are sent, over OTLP/HTTP; empty is nowhere ----------------------------------
OTEL_EXPORTER_OTLP_ENDPOINT = env.url("OTEL_EXPORTER_OTLP_ENDPOINT", ["http", "https"], default="")

# --- Logs ----------------------------------------------------------------------------------
LOG_LEVEL = env.choice("LOG_LEVEL", ["DEBUG", "INFO", "WARNING", "ERROR"], default="INFO")
LOG_FORMAT = env.choice("LOG_FORMAT", ["lines", "json"], default="lines")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "lines": {
            "()": f"cqops.platform.telemetry.logs.{'JsonLines' if LOG_FORMAT == 'json' else 'Lines'}",
            "redact": "venues.transport.redact.redact_text",
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django.server": {"level": "WARNING"},
        "httpx": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
        "daphne": {"level": "WARNING"},
        "django.channels.server": {"level": "WARNING"},
        # A collector that is away is told of once, by whoever drops the spans.
        "opentelemetry": {"level": "CRITICAL"},
    },
}

# --- Admin look ------------------------------------------------------------------------------
UNFOLD = {
    "SITE_TITLE": "CQOps",
    "SITE_HEADER": "CQOps",
    "SITE_SUBHEADER": "Registry and configuration",
    "SITE_URL": "/",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SIDEBAR": {"show_search": True, "navigation": "cqops.site.admin_navigation"},
    "STYLES": ["cqops.site.admin_stylesheet"],
}

env.finish()
