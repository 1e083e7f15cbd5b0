"""Tollgate with its whole chain: a control plane with its PostgreSQL, and the gateways beside it that are measured."""

import json
import os
import select
import time
import urllib.error
import urllib.request

from . import fill
from .keys import key_of
from .machine import cpu_seconds, family
from .process import LARGE_PATH, SMALL_PATH, Server, free_port, wait_for_port


class Platform(Server):
    """`tollgate up` with its private PostgreSQL: where everything is published, and keys are minted."""

    name = "platform"

    def __init__(self, directory, upstream, binary, routes, keys):
        super().__init__()
        self.directory, self.upstream, self.binary = directory / "platform", upstream, binary
        self.routes, self.keys = routes, keys
        self.directory.mkdir(mode=0o755)
        self.data = self.directory / "data"

    def start(self):
        log = self.directory / "log"
        listens = [f"--{name}-listen=127.0.0.1:0" for name in ("gateway", "operator", "admin", "portal")]
        environment = {**plain_environment(), "TOLLGATE_DATA_DIR": str(self.data), "TOLLGATE_GATEWAY_THREADS": "1"}
        command = [str(self.binary), "up", "--json", "--no-demo", *listens]
        self.spawn(command, log, stdout=-1, env=environment, cwd=self.directory)
        if not select.select([self.process.stdout], [], [], 120)[0]:
            raise SystemExit(f"bench: tollgate was not ready within 120 s:\n{log.read_text()[-2000:]}")
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"bench: tollgate ended:\n{log.read_text()[-2000:]}")
        welcome = json.loads(line)
        self.admin = (welcome["admin_url"], welcome["admin_token"])
        self.database = (self.data / "secrets" / "database-url").read_text().strip()
        self.pepper_file = self.data / "secrets" / "pepper-1"
        self.postmaster = next(int(file.read_text().split()[0]) for file in self.data.rglob("postmaster.pid"))
        self.publish()

    def publish(self):
        """Configures the bench's API as an operator would, and the rest below the API."""
        self.service = self.ask("POST", "services", slug="bench", name="Bench", targets=[{"url": self.upstream.url("")}])
        parameter = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
        answers = {"200": {"description": "It."}}
        paths = {
            path.replace("42", "{id}"): {"get": {"parameters": [parameter], "responses": answers}}
            for path in (SMALL_PATH, LARGE_PATH)
        }
        document = {"openapi": "3.1.0", "info": {"title": "Bench", "version": "1"}, "paths": paths}
        self.api = self.ask(
            "POST", "apis", slug="bench", name="Bench", service_id=self.service["id"], base_path="/bench",
            state="published", document=document,
        )
        self.product = self.ask(
            "POST", "products", slug="bench", name="Bench", state="published", apis=[self.api["id"]]
        )
        self.limits = [
            {"name": "burst", "kind": "rate", "amount": 1_000_000, "period": "second"},
            {"name": "month", "kind": "quota", "amount": 1_000_000_000_000, "period": "month"},
        ]
        self.plan = self.ask(
            "POST", "plans", product_id=self.product["id"], slug="bench", name="Bench",
            price={"minor": 0, "currency": "EUR", "per": "month"}, limits=self.limits,
        )
        pepper = bytes.fromhex(self.pepper_file.read_text().strip())
        product, plan = fill.uuid_in(self.product["id"]), fill.uuid_in(self.plan["id"])
        fill.add_routes(self.database, "bench", product, max(0, self.routes - 2))
        fill.add_keys(self.database, pepper, product, plan, self.keys)

    def ask(self, method, resource, etag=None, **body):
        """A call of the admin API."""
        url, token = self.admin
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        if etag:
            headers["If-Match"] = etag
        request = urllib.request.Request(
            f"{url}/v1/{resource}", data=json.dumps(body).encode() if body else None, headers=headers, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                text = answer.read()
                return json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            raise SystemExit(f"bench: {method} {resource}: {error.code}: {error.read().decode()}") from error

    def stop(self):
        """PostgreSQL ends with it."""
        super().stop()


class Tollgate(Server):
    """`tollgate gateway` on a platform: one process, its PostgreSQL is the platform's."""

    name = "tollgate"
    base = "/bench"

    def __init__(self, directory, platform, threads, binary, certificate, name=None):
        super().__init__()
        self.name = name or self.name
        self.directory = directory / self.name.replace(" ", "-").replace(",", "")
        self.directory.mkdir(mode=0o755)
        self.platform, self.threads, self.binary, self.certificate = platform, threads, binary, certificate
        self.operator_port = free_port()
        self.headers = {"X-API-Key": key_of(platform.keys // 2).decode()}
        self.database = platform.database if platform.process else None

    def start(self):
        self.log = self.directory / "log"
        environment = {
            **plain_environment(),
            "DATABASE_URL": self.database or self.platform.database,
            "TOLLGATE_PEPPER_FILE": str(self.platform.pepper_file),
            "TOLLGATE_DATA_DIR": str(self.directory / "data"),
            "TOLLGATE_GATEWAY_THREADS": str(self.threads),
            "TOLLGATE_GATEWAY_LISTEN": f"127.0.0.1:{self.port}",
            "TOLLGATE_OPERATOR_LISTEN": f"127.0.0.1:{self.operator_port}",
            "TOLLGATE_GATEWAY_TLS_LISTEN": f"127.0.0.1:{self.tls_port}",
            "TOLLGATE_TLS_CERT_DIR": str(self.certificate.folder),
            # One machine calls for everybody here, and the others close no connection behind its thousandth call.
            "TOLLGATE_CONNECTIONS_PER_ADDRESS": "0",
            "TOLLGATE_REQUESTS_PER_CONNECTION": "100000000",
        }
        self.started = time.monotonic()
        self.spawn([str(self.binary), "gateway"], self.log, env=environment, cwd=self.directory)
        wait_for_port(self.port, self.process, self.log)
        self.wait_until_served()

    def wait_until_served(self, within=60):
        """Loading a million keys takes a moment."""
        deadline = time.monotonic() + within
        while True:
            status = self.status_of(self.headers)
            if status == 200:
                self.served_after = time.monotonic() - self.started
                return
            if time.monotonic() > deadline:
                raise SystemExit(f"bench: {self.name} answers {status}:\n{self.log.read_text()[-2000:]}")
            time.sleep(0.005)

    def status_of(self, headers, path=SMALL_PATH):
        """What a call is answered with; 0 where nobody answers."""
        try:
            with urllib.request.urlopen(urllib.request.Request(self.url(path), headers=headers), timeout=5) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def pids(self):
        return [self.process.pid]

    def beside(self):
        """What the platform's PostgreSQL used so far."""
        return {"PostgreSQL": sum(cpu_seconds(family(self.platform.postmaster)))}


def plain_environment():
    """What a process needs of ours."""
    return {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
