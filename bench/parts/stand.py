"""A gateway by itself (`gateway/examples/stand`): the whole chain, a control plane in memory, nothing but the gateway to build."""

import json
import subprocess

from .process import SMALL_PATH, Server


class Stand(Server):
    """One stand; it has one route to call, and speaks no TLS."""

    speaks_tls = False

    def __init__(self, name, binary, upstream, routes, keys, threads):
        super().__init__()
        self.name, self.upstream = name, upstream
        self.command = [str(binary), upstream.url(""), str(routes), str(keys), "1", str(threads)]

    def start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        told = json.loads(self.process.stdout.readline())
        self.called, self.headers = told["url"] + told["path"], {"X-API-Key": told["keys"][-1]}

    def url(self, path, tls=False):
        if path != SMALL_PATH:
            raise SystemExit(f"bench: {self.name} has no route to {path}")
        return self.called

    def stop(self):
        """It ends with its input."""
        if self.process:
            self.process.stdin.close()
            self.process.wait(40)
