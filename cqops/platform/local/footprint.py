"""What a desk takes: memory and disk, measured and not guessed."""

import os
from collections.abc import Iterable
from pathlib import Path

import psutil

BLOCK = 512


def memory(pids: Iterable[int]) -> int:
    """Sum the memory of processes and all they started; shared pages count once where known."""
    family: dict[int, psutil.Process] = {}
    for pid in pids:
        try:
            process = psutil.Process(pid)
            family.update({one.pid: one for one in (process, *process.children(recursive=True))})
        except psutil.Error:
            continue
    return sum(_of_one(process) for process in family.values())


def _of_one(process: psutil.Process) -> int:
    try:
        full = process.memory_full_info()
        return int(getattr(full, "pss", full.rss))
    except psutil.Error:
        return 0


def disk(folder: Path) -> int:
    """Add up what a folder occupies; files that vanish meanwhile do not matter."""
    total = 0
    for place, _folders, files in os.walk(folder, onerror=None):
        for name in files:
            try:
                total += os.lstat(f"{place}/{name}").st_blocks * BLOCK
            except OSError:
                continue
    return total


def megabytes(count: int) -> str:
    return f"{count / 1024 / 1024:.0f} MB"
