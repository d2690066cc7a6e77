"""`make run`: the desk on this machine."""

from collections.abc import Mapping, Sequence

from cqops.platform.local.desk import Desk
from cqops.platform.local.places import Places


def main(places: Places, environ: Mapping[str, str], _arguments: Sequence[str]) -> int:
    return Desk(places, environ).run()
