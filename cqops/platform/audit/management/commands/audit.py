from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from cqops.platform.audit import anchoring, proof
from cqops.platform.audit.sequencer import Sequencer
from cqops.platform.audit.services import record

BROKEN = 1


class Command(BaseCommand):
    help = "Proves the audit log: verify it, anchor its head outside, seal what waits, export it."

    def add_arguments(self, parser: CommandParser) -> None:
        words = "verify (exit code 1 when something is wrong), anchor, seal, or export to stdout"
        parser.add_argument("what", choices=["verify", "anchor", "seal", "export"], help=words)

    def handle(self, *args: Any, **options: Any) -> None:
        getattr(self, f"_{options['what']}")()

    def _verify(self) -> None:
        verdict = proof.verify_and_remember()
        for finding in verdict.findings:
            self.stdout.write(finding.words)
        self.stdout.write(verdict.tail.words(timezone.now()))
        self.stdout.write(verdict.words())
        if not verdict.is_good:
            raise SystemExit(BROKEN)

    def _anchor(self) -> None:
        made = anchoring.anchor()
        if made is None:
            self.stdout.write("Nothing is sealed yet, so there is nothing to anchor.")
            return
        path = settings.AUDIT_ANCHOR_FILE
        self.stdout.write(f"Seal {made.sequence} of {made.count} is written in {path}.")

    def _seal(self) -> None:
        self.stdout.write(f"{Sequencer().run()} entries sealed.")

    def _export(self) -> None:
        lines = 0
        for line in proof.exported():
            self.stdout.write(line, ending="")
            lines += 1
        record(
            action="export.taken",
            subject_kind="export",
            subject_id="audit-chain",
            after={"rows": lines, "format": "jsonl"},
        )
