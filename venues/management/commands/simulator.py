from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from cqops.platform.telemetry.metrics import serve as serve_metrics
from venues.simulator import scenario
from venues.simulator.app import VENUES, serve
from venues.simulator.server import papers_for


class Command(BaseCommand):
    help = "Runs the simulated venues over their own wire protocols, on this machine."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8600)
        parser.add_argument(
            "--tls-port", type=int, default=0, help="serve HTTPS and WSS on this port too"
        )
        parser.add_argument("--data-dir", type=Path, default=settings.SIMULATOR_DIR)
        parser.add_argument("--venue", choices=sorted(VENUES), help="run this one alone")
        parser.add_argument("--scenario", default="", help="play one, see --list")
        parser.add_argument("--list", action="store_true", help="name the scenarios and end")
        parser.add_argument("--no-limits", action="store_true", help="take any number of calls")
        parser.add_argument("--seed", type=int, default=1)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["list"]:
            for name in scenario.names():
                self.stdout.write(f"{name:<20} {scenario.load(name).about}")
            return
        if not settings.IS_SIMULATED:
            message = (
                f"The simulator runs in a SIMULATED installation; this is {settings.ENVIRONMENT}."
            )
            raise CommandError(message)
        options["data_dir"].mkdir(parents=True, exist_ok=True)
        serve_metrics("simulator")
        if options["tls_port"]:
            bundle = papers_for(options["data_dir"], options["host"]).ca
            self.stdout.write(f"HTTPS and WSS on port {options['tls_port']}; CA bundle: {bundle}")
            self.stdout.flush()
        try:
            serve(
                host=options["host"],
                port=options["port"],
                data_dir=options["data_dir"],
                seed=options["seed"],
                tls_port=options["tls_port"],
                venues=[options["venue"]] if options["venue"] else None,
                scenario=options["scenario"],
                has_limits=not options["no_limits"],
            )
        except scenario.BadScenario as error:
            raise CommandError(str(error)) from error
