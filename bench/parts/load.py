"""The load: wrk and h2load, and what a run of them must look like to count."""

import json
import re
import ssl
import subprocess
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

from .process import LARGE_PATH, SMALL_PATH

SCRIPT = Path(__file__).with_name("wrk.lua")
# What this measures is not whether certificates are checked.
TRUSTING = ssl._create_unverified_context()


@dataclass(frozen=True)
class Mode:
    """How a proxy is called."""

    name: str
    title: str
    connections: int = 64
    path: str = SMALL_PATH
    tls: bool = False
    # Calls at once on each connection; HTTP/1 without it.
    streams: int = 0
    closes: bool = False
    # A file with a key on each line, called with in turn.
    keys: str = ""


MODES = [
    Mode("keep-alive", "1 KiB, 64 kept connections"),
    Mode("crowd", "1 KiB, 1,000 kept connections", connections=1_000),
    Mode("large", "100 KiB, 64 kept connections", path=LARGE_PATH),
    Mode("new", "1 KiB, a new connection for every call", closes=True),
    Mode("tls", "1 KiB, TLS 1.3, 64 kept connections", tls=True),
    Mode("h2", "1 KiB, HTTP/2 over TLS, 16 connections with 4 calls at once", connections=16, tls=True, streams=4),
]


class Load:
    """Runs loads and checks every one of them against what the upstream saw."""

    def __init__(self, upstream):
        self.upstream = upstream

    def expect_answer(self, row, mode):
        """One plain call must be answered with the upstream's own bytes."""
        request = urllib.request.Request(row.url(mode.path, mode.tls), headers=row.headers)
        with urllib.request.urlopen(request, timeout=10, context=TRUSTING if mode.tls else None) as answer:
            if answer.status != 200 or answer.read() != self.upstream.bodies[mode.path]:
                raise SystemExit(f"bench: {row.name} answered {answer.status}, and not with the upstream's bytes")

    def run(self, row, mode, seconds, connections=None):
        """One measurement."""
        connections = connections or mode.connections
        load = h2load if mode.streams else wrk
        seen_before = self.settled()
        cpu_before, beside_before = row.cpu_s(), row.beside()
        result = load(row, mode, seconds, connections)
        user, system = (now - before for now, before in zip(row.cpu_s(), cpu_before))
        beside = {name: value - beside_before.get(name, 0) for name, value in row.beside().items()}
        seen = {key: value - seen_before[key] for key, value in self.settled().items()}
        requests = result["requests"]
        if requests == 0 or any(result["errors"].values()):
            raise SystemExit(f"bench: {row.name}: {requests} answers, not all of them 2xx: {result['errors']}")
        # The load abandons the calls that are under way at its end: the upstream may have seen these as well.
        if not requests <= seen["requests"] <= requests + connections * max(1, mode.streams):
            raise SystemExit(f"bench: {row.name}: {requests} answers, but the upstream saw {seen['requests']} calls")
        per_100k = 100_000 / requests
        return {
            "requests": requests,
            "requests_per_s": requests / result["seconds"],
            "p50_ms": result["p50_us"] / 1000,
            "p99_ms": result["p99_us"] / 1000,
            "cpu_s_per_100k": (user + system) * per_100k,
            "user_s_per_100k": user * per_100k,
            "beside_cpu_s": beside,
            "upstream_connections_per_1000": seen["accepts"] * 1000 / requests,
        }

    def settled(self):
        """What the upstream has seen once nothing more comes: calls that were abandoned are still under way."""
        seen = None
        while seen != (seen := self.upstream.seen()):
            time.sleep(0.1)
        return seen


def wrk(row, mode, seconds, connections):
    """HTTP/1. Asked to close, a proxy does: then the next call has to connect again."""
    headers = {**row.headers, **({"Connection": "close"} if mode.closes else {})}
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(SCRIPT)]
    for name, value in headers.items():
        command += ["-H", f"{name}: {value}"]
    done = subprocess.run(
        [*command, row.url(mode.path, mode.tls), *(["--", mode.keys] if mode.keys else [])],
        check=True, capture_output=True, text=True,
    )
    return json.loads(done.stdout.rpartition("RESULT ")[2])


def h2load(row, mode, seconds, connections):
    """HTTP/2."""
    with NamedTemporaryFile("r", prefix="tollgate-h2load-") as log:
        command = ["h2load", "-t1", f"-c{connections}", f"-m{mode.streams}", f"-D{seconds}", f"--log-file={log.name}"]
        for name, value in row.headers.items():
            command += ["-H", f"{name}: {value}"]
        done = subprocess.run(
            [*command, row.url(mode.path, mode.tls)], check=True, capture_output=True, text=True
        )
        times = sorted(int(line.split("\t")[2]) for line in log)
    said = re.search(r"requests: .*, (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout", done.stdout)
    finished, succeeded, failed, errored, timeout = (int(number) for number in said.groups())
    errors = {"failed": failed, "errored": errored, "timeout": timeout, "status": finished - succeeded}
    at = lambda part: times[min(len(times) - 1, int(len(times) * part))] if times else 0  # noqa: E731
    return {"requests": succeeded, "seconds": seconds, "p50_us": at(0.5), "p99_us": at(0.99), "errors": errors}
