"""Processes that are started for a run and stopped with it."""

import socket
import subprocess
import time

from .machine import cpu_seconds, family, rss_mb


def free_port():
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for_port(port, process, log):
    """Waits until somebody listens; fails with the log when the process ends before."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with socket.socket() as client:
            client.settimeout(0.2)
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise SystemExit(f"bench: nobody listens on port {port}:\n{log.read_text()[-2000:]}")


# Below a name of its own, so that a gateway can have a route for it.
SMALL_PATH = "/v1/small/42"
LARGE_PATH = "/v1/large/42"


class Server:
    """One measured row: a process, where it is called, and what it costs."""

    name = ""
    headers = {}
    # What stands before every path.
    base = ""
    speaks_tls = True
    process = None

    def __init__(self):
        self.port, self.tls_port = free_port(), free_port()

    def url(self, path, tls=False):
        """Where a path is called."""
        scheme, port = ("https", self.tls_port) if tls else ("http", self.port)
        return f"{scheme}://127.0.0.1:{port}{self.base}{path}"

    def start(self):
        """Starts it and waits until it listens."""
        raise NotImplementedError

    def spawn(self, command, log, **options):
        """Starts a process that writes both its streams to a file."""
        with log.open("wb") as out:
            self.process = subprocess.Popen(command, stdout=options.pop("stdout", out), stderr=out, **options)
        return self.process

    def pids(self):
        """The processes whose cost is the row's."""
        return family(self.process.pid)

    def cpu_s(self):
        """CPU seconds so far."""
        return cpu_seconds(self.pids())

    def rss_mb(self):
        """Resident memory now."""
        return rss_mb(self.pids())

    def beside(self):
        """Cost of helpers that are not the row's own, by name; for the report's small print."""
        return {}

    def stop(self):
        """Asks it to end, and makes it after 15 s."""
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Stack:
    """Starts servers one after the other and stops them in reverse."""

    def __init__(self):
        self.servers = []

    def __enter__(self):
        return self

    def add(self, server):
        """Starts one."""
        self.servers.append(server)
        server.start()
        return server

    def __exit__(self, *_):
        for server in reversed(self.servers):
            server.stop()
