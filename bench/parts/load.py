"""The load: wrk, and what a run of it must look like to count."""

import http.client
import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

SCRIPT = Path(__file__).with_name("wrk.lua")


@dataclass
class Load:
    """So many connections for so many seconds."""

    connections: int
    seconds: int


class Wrk:
    """Runs loads and checks every one of them against what the upstream saw."""

    def __init__(self, upstream, new_connections=False):
        self.upstream = upstream
        # Asked to close, a proxy does: the next call has to connect again.
        self.headers = {"Connection": "close"} if new_connections else {}

    def expect_answer(self, row):
        """One plain call must be answered with the upstream's own bytes."""
        url = urlsplit(row.url)
        connection = http.client.HTTPConnection(url.hostname, url.port, timeout=10)
        connection.request("GET", row.path, headers=row.headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        if answer.status != 200 or body != self.upstream.body:
            raise SystemExit(f"bench: {row.name} answered {answer.status}: {body[:500]!r}")

    def run(self, row, load):
        """One measurement."""
        command = ["wrk", "-t1", f"-c{load.connections}", f"-d{load.seconds}s", "-s", str(SCRIPT)]
        for name, value in {**row.headers, **self.headers}.items():
            command += ["-H", f"{name}: {value}"]
        seen_before = self.upstream.seen()
        cpu_before, beside_before = row.cpu_s(), row.beside()
        done = subprocess.run(command + [row.url + row.path], check=True, capture_output=True, text=True)
        cpu = row.cpu_s() - cpu_before
        beside = {name: value - beside_before.get(name, 0) for name, value in row.beside().items()}
        time.sleep(0.1)
        seen = {key: value - seen_before[key] for key, value in self.upstream.seen().items()}
        result = json.loads(done.stdout.rpartition("RESULT ")[2])
        requests = result["requests"]
        if requests == 0 or any(result["errors"].values()):
            raise SystemExit(f"bench: {row.name}: {requests} answers, not all of them 2xx: {result['errors']}")
        # wrk abandons the calls that are under way at its end: the upstream may have seen one more per connection.
        if not requests <= seen["requests"] <= requests + load.connections:
            raise SystemExit(f"bench: {row.name}: {requests} answers, but the upstream saw {seen['requests']} calls")
        per_100k = 100_000 / requests
        return {
            "requests": requests,
            "requests_per_s": requests / result["seconds"],
            "p50_ms": result["p50_us"] / 1000,
            "p99_ms": result["p99_us"] / 1000,
            "cpu_s_per_100k": cpu * per_100k,
            "beside_cpu_s": beside,
            "upstream_connections_per_1000": seen["accepts"] * 1000 / requests,
        }
