"""The desk's settings without anything of the desk's own in the way of a request."""

from __future__ import annotations

from cqops.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks._stock"
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
]
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
}
