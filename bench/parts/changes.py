"""How fast a change reaches a gateway, and whether calls notice."""

import http.client
import threading
import time

from . import fill
from .holding import gateway_of, million
from .keys import key_of
from .load import Load, Mode
from .process import SMALL_PATH


class Asker:
    """One kept connection on which a call is made again and again."""

    def __init__(self, row, headers=None, path=SMALL_PATH):
        self.row, self.headers, self.path = row, headers or row.headers, path
        self.connection = http.client.HTTPConnection("127.0.0.1", row.port, timeout=5)

    def ask(self):
        """Status and fields of one answer."""
        self.connection.request("GET", self.row.base + self.path, headers=self.headers)
        answer = self.connection.getresponse()
        answer.read()
        return answer

    def seconds_until(self, seen, within=10):
        """How long it takes until an answer is as it should be."""
        began = time.monotonic()
        while not seen(self.ask()):
            if time.monotonic() - began > within:
                raise SystemExit(f"bench: a change did not reach the gateway within {within} s")
        return time.monotonic() - began


def part(times, share):
    """A percentile, in milliseconds."""
    times = sorted(times)
    return times[min(len(times) - 1, int(len(times) * share))] * 1000


def revoked(bench):
    """From the answer to the revocation to the first call that is refused."""
    platform, times = million(bench), []
    row = gateway_of(bench, platform, "revoking")
    for number in range(bench.size(300, 20)):
        asker = Asker(row, {"X-API-Key": key_of(number).decode()})
        if asker.ask().status != 200:
            raise SystemExit("bench: a key that was not revoked is refused")
        platform.ask("DELETE", "keys/" + fill.id_in("key", fill.uuid_of(6, number)))
        times.append(asker.seconds_until(lambda answer: answer.status == 401))
        asker.connection.close()
    p50, p99 = part(times, 0.5), part(times, 0.99)
    bench.note(
        f"Key revoked → refused, {len(times)} of {platform.keys:,} keys, p50/p99", "p99 ≤ 100 ms",
        f"{p50:.0f}/{p99:.0f} ms", p99 <= 100,
    )
    row.stop()


def applied(bench):
    """From the answer to a change of the plan to the first call under it."""
    platform, times = million(bench), []
    row = gateway_of(bench, platform, "changing")
    asker = Asker(row)
    for number in range(bench.size(200, 10)):
        amount = 1_000_000 + number + 1
        limits = [{**platform.limits[0], "amount": amount}, platform.limits[1]]
        platform.ask("PATCH", "plans/" + platform.plan["id"], etag="*", limits=limits)
        times.append(asker.seconds_until(lambda answer: f"q={amount};" in answer.headers["RateLimit-Policy"]))
    p50, p99 = part(times, 0.5), part(times, 0.99)
    bench.note(
        f"Change applied, {platform.routes:,} routes, {len(times)} changes, p50/p99", "≤ 50/250 ms",
        f"{p50:.0f}/{p99:.0f} ms", p50 <= 50 and p99 <= 250,
    )
    row.stop()


def under_load(bench):
    """A route comes, another goes, again and again, while others are called."""
    platform, changes = million(bench), bench.size(1_000, 20)
    row = gateway_of(bench, platform, "loaded")
    api = platform.ask(
        "POST", "apis", slug="moving", name="Moving", service_id=platform.service["id"], base_path="/moving",
        state="published", document=document_of(0),
    )
    load, runs, failed, stop = Load(bench.upstream), [], [], threading.Event()

    def keep_calling():
        while not stop.is_set() and not failed:
            try:
                runs.append(load.run(row, Mode("changes", "", connections=16), 5))
            except SystemExit as fault:
                failed.append(str(fault))

    calling = threading.Thread(target=keep_calling)
    calling.start()
    began = time.monotonic()
    for number in range(1, changes + 1):
        platform.ask("PUT", f"apis/{api['id']}/document", etag="*", **document_of(number))
    took = time.monotonic() - began
    stop.set()
    calling.join()
    calls = sum(run["requests"] for run in runs)
    bench.note(
        f"Failed calls during {changes:,} route changes in {took:.0f} s, {platform.routes:,} routes", "0",
        failed[0] if failed else f"0 of {calls:,}", bool(runs) and not failed,
    )
    row.stop()


def document_of(number):
    """A document with one route of its own."""
    parameter = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    operation = {"parameters": [parameter], "responses": {"200": {"description": "It."}}}
    paths = {f"/v1/moving{number}/{{id}}": {"get": operation}}
    return {"openapi": "3.1.0", "info": {"title": "Moving", "version": str(number)}, "paths": paths}
