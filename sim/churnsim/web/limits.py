"""What a server grants its visitors, so that one of them cannot take the machine from the others."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Limits of one server.

    Attributes
    ----------
    customers : int
        Customers of one market.
    ticks : int
        Ticks of one run, burn-in included.
    work : int
        Customers times ticks of one run.
    comparison : int
        Customers times ticks of one comparison, all its runs together.
    seeds, arms : int
        Seeds and arms of one comparison.
    sweep : int
        Customers times ticks of one sweep that is started from the page, all its runs together.
    levels, sweep_seeds : int
        Values of each of its two factors, and runs per point.
    sweeps : int
        Such sweeps between start and end of the server; one runs at a time. Each is kept on the disk.
    moves : int
        Dated changes in one request, and settings changed from the start.
    body : int
        Bytes of a request's body.
    workbook : int
        Bytes of a workbook.
    workbooks : int
        Workbooks that are kept, so that links to their plans work.
    waiting : int
        Runs that may be under way or waiting.
    workers : int
        Threads that compute.
    rate, burst : float
        Requests that cost computing, per second and address, and how many may come at once. A class behind one
        router shares one address, hence the size of the burst.
    kept : int
        Bytes of finished runs kept to be shared.
    snapshots : int
        Bytes of markets kept to branch from.
    results : int
        Bytes of compared runs kept for reports.
    rooms, votes : int
        Class rooms at a time, and voters in one room.
    answers : int
        Tables and lines of lessons that are kept, so that a class costs one.
    """

    customers: int = 200_000
    ticks: int = 1_040
    work: int = 60_000_000
    comparison: int = 600_000_000
    seeds: int = 200
    arms: int = 6
    sweep: int = 400_000_000
    levels: int = 9
    sweep_seeds: int = 20
    sweeps: int = 40
    moves: int = 200
    body: int = 64_000
    workbook: int = 4_000_000
    workbooks: int = 20
    waiting: int = 64
    workers: int = 2
    rate: float = 10.0
    burst: float = 120.0
    kept: int = 64_000_000
    snapshots: int = 128_000_000
    results: int = 256_000_000
    rooms: int = 50
    votes: int = 500
    answers: int = 200
