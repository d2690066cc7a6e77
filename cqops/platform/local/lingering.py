"""Servers that still run on a data folder although nobody supervises them any more.

Two servers on one folder would ruin it, so whoever starts one makes sure that it is alone. A server
is known by its name and by the folder it works in: that holds whoever started it, and whenever.
"""

from collections.abc import Sequence
from pathlib import Path

import psutil


def end_servers(name: str, folder: Path, stages: Sequence[tuple[int, float]]) -> None:
    """Signal the servers of a folder, each stage firmer than the last, until none is left."""
    if not folder.exists():
        return
    for number, patience in stages:
        processes = _servers(name, folder)
        if not processes:
            return
        for process in processes:
            _signal(process, number)
        psutil.wait_procs(processes, timeout=patience)


def _servers(name: str, folder: Path) -> list[psutil.Process]:
    found, place = [], str(folder.resolve())
    for process in psutil.process_iter():
        try:
            if process.name().startswith(name) and process.cwd() == place:
                found.append(process)
        except psutil.Error:
            continue
    return found


def _signal(process: psutil.Process, number: int) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return
