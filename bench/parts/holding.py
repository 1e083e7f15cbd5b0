"""How much a gateway holds: keys, routes, connections; and how fast it starts with all of them."""

import socket
import time
from statistics import median
from tempfile import NamedTemporaryFile

from .keys import key_of
from .load import Load, Mode
from .process import LARGE_PATH, SMALL_PATH, free_port
from .tollgate import Platform, Tollgate

MB = 1024 * 1024 / 1e6
IDLE_AFTER_S = 40


def platform_of(bench, routes, keys):
    """The platform of a size; started once."""
    known = bench.__dict__.setdefault("platforms", {})
    if (routes, keys) not in known:
        folder = bench.directory / f"platform-{routes}-{keys}"
        folder.mkdir(mode=0o755)
        platform = Platform(folder, bench.upstream, bench.args.tollgate, routes, keys)
        known[routes, keys] = bench.stack.add(platform)
    return known[routes, keys]


def gateway_of(bench, platform, name):
    """One more gateway on a platform."""
    row = Tollgate(bench.directory, platform, 1, bench.args.tollgate, bench.certificate, name)
    return bench.stack.add(row)


def million(bench):
    """The platform with all keys and routes."""
    return platform_of(bench, bench.size(10_000, 500), bench.size(1_000_000, 5_000))


def settled_rss(row):
    """Megabytes (10^6 bytes) once loading is over: what only the start needed is let go 15 s after it."""
    time.sleep(20)
    return row.rss_mb() * MB


def memory(bench):
    """Resident memory at rest."""
    small = platform_of(bench, bench.size(10_000, 500), bench.size(100_000, 1_000))
    row = gateway_of(bench, small, "hundred thousand")
    rss = settled_rss(row)
    bench.note(f"RSS with {small.routes:,} routes and {small.keys:,} keys", "≤ 60 MB", f"{rss:.0f} MB", rss <= 60)
    row.stop()
    # The goal is for the keys: ten thousand routes would come on top of it.
    large = platform_of(bench, 100, bench.size(1_000_000, 5_000))
    row = gateway_of(bench, large, "million")
    rss = settled_rss(row)
    bench.note(f"RSS with {large.routes:,} routes and {large.keys:,} keys", "≤ 150 MB", f"{rss:.0f} MB", rss <= 150)
    row.stop()


def connections(bench):
    """What an idle connection takes, and whether a burst's memory comes back."""
    platform = platform_of(bench, bench.size(10_000, 500), bench.size(100_000, 1_000))
    row = gateway_of(bench, platform, "crowded")
    load = Load(bench.upstream)
    load.run(row, Mode("warm", ""), 2)
    before = settled_rss(row)

    count = bench.size(5_000, 500)
    head = "".join(f"{name}: {value}\r\n" for name, value in row.headers.items())
    request = f"GET {row.base}{SMALL_PATH} HTTP/1.1\r\nHost: bench\r\n{head}\r\n".encode()
    idle = []
    for _ in range(count):
        caller = socket.create_connection(("127.0.0.1", row.port))
        caller.sendall(request)
        received = b""
        while not received.endswith(b"0123456789abcdef"):
            received += caller.recv(4096)
        idle.append(caller)
    each = (row.rss_mb() * MB - before) * 1000 / count
    bench.note(f"Each of {count:,} idle connections that called once", "≤ 41 kB", f"{each:.1f} kB", each <= 41)
    for caller in idle:
        caller.close()

    load.run(row, Mode("burst", "", connections=bench.size(1_000, 100), path=LARGE_PATH), 5)
    peak = row.rss_mb() * MB
    time.sleep(bench.size(IDLE_AFTER_S, 2))
    after = row.rss_mb() * MB
    holds = after <= before * 1.1 + 5
    bench.note(
        f"RSS before, in and {IDLE_AFTER_S} s after a burst of 100 KiB answers", "back to what it was",
        f"{before:.0f}, {peak:.0f}, {after:.0f} MB", holds if not bench.args.quick else None,
    )
    row.stop()


def many_keys(bench):
    """Calls of a thousand keys, among a thousand and among a million."""
    callers = bench.size(1_000, 100)
    few, all_ = platform_of(bench, bench.size(10_000, 500), callers), million(bench)
    rows = [gateway_of(bench, few, "few keys"), gateway_of(bench, all_, "many keys")]
    load, measured = Load(bench.upstream), {row.name: [] for row in rows}
    with NamedTemporaryFile("w", prefix="tollgate-keys-") as of_few, NamedTemporaryFile("w", prefix="tollgate-keys-") as of_all:
        for file, platform in ((of_few, few), (of_all, all_)):
            step = platform.keys // callers
            file.write("\n".join(key_of(number * step).decode() for number in range(callers)))
            file.flush()
        for _ in range(bench.size(7, 1)):
            for row, file in zip(rows, (of_few, of_all)):
                mode = Mode("keys", "", keys=file.name)
                load.run(row, mode, 1)
                measured[row.name].append(load.run(row, mode, bench.size(3, 1)))
    pairs = list(zip(*measured.values()))
    rate = median(many["requests_per_s"] / one["requests_per_s"] for one, many in pairs)
    cost = median(many["cpu_s_per_100k"] / one["cpu_s_per_100k"] for one, many in pairs)
    bench.note(
        f"Requests/s of {callers:,} callers among {all_.keys:,} keys, beside those among {few.keys:,}", "≥ 0.97×",
        f"{rate:.3f}× ({cost:.3f}× the CPU)", rate >= 0.97,
    )
    for row in rows:
        row.stop()


def start_from_disk(bench):
    """PostgreSQL is away: what is on the disk is served."""
    row = gateway_of(bench, million(bench), "restarted")
    time.sleep(bench.size(15, 5))
    row.stop()
    row.database = f"postgres://nobody@127.0.0.1:{free_port()}/nothing"
    times = []
    for _ in range(bench.size(5, 1)):
        row.start()
        times.append(row.served_after)
        row.stop()
    holds = max(times) <= 2
    bench.note(
        f"From exec to the first call served, from disk, {row.platform.keys:,} keys", "≤ 2 s",
        f"{median(times):.2f} s, worst {max(times):.2f} s", holds,
    )
