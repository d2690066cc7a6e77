"""Find the Chromium that browser tests drive, or say how to get one."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PLAYWRIGHT_CACHES = ("~/.cache/ms-playwright", "~/Library/Caches/ms-playwright")
PLAYWRIGHT_PATTERNS = (
    "chromium-*/chrome-linux*/chrome",
    "chromium-*/chrome-mac*/*.app/Contents/MacOS/*",
)

MISSING = (
    "Browser tests need Chromium and none was found. Install Debian's with `make browser`, name"
    " one with CHROMIUM=/path/to/chromium, or leave browser tests out with SKIP_BROWSER=1."
)


def find(environ: Mapping[str, str]) -> str | None:
    """Return the path of a Chromium: the named one, one on PATH, or Playwright's own."""
    named = environ.get("CHROMIUM", "")
    if named:
        return named if os.access(named, os.X_OK) else None
    on_path = (shutil.which(name, path=environ.get("PATH")) for name in NAMES)
    return next((path for path in on_path if path), None) or _from_playwright(environ)


def _from_playwright(environ: Mapping[str, str]) -> str | None:
    named = environ.get("PLAYWRIGHT_BROWSERS_PATH", "")
    for cache in (named,) if named else PLAYWRIGHT_CACHES:
        for pattern in PLAYWRIGHT_PATTERNS:
            found = sorted(Path(cache).expanduser().glob(pattern))
            if found:
                return str(found[-1])
    return None
