"""Tollgate with its whole chain: routes, keys, subscription, rate limit, quota, headers and metering to Postgres."""

import json
import os
import select
import time
import urllib.error
import urllib.request
from pathlib import Path

from .machine import cpu_seconds, family
from .process import Server

ROUTES = 200
KEYS_PER_APPLICATION = 100


class Tollgate(Server):
    """`tollgate up` on free ports: gateway, admin API and portal in one process, its PostgreSQL beside it."""

    name = "tollgate"
    what = "whole chain"
    path = f"/bench/v1/things{ROUTES // 2}/42"

    def __init__(self, directory, upstream, threads, binary, keys):
        self.directory, self.upstream, self.threads, self.binary = directory, upstream, threads, binary
        self.keys = max(1, keys)

    def start(self):
        self.data = self.directory / "tollgate"
        log = self.directory / "tollgate.log"
        environment = {
            "PATH": os.environ.get("PATH", ""), "HOME": os.environ.get("HOME", "/"),
            "TOLLGATE_DATA_DIR": str(self.data), "TOLLGATE_GATEWAY_THREADS": str(self.threads),
        }
        listens = [f"--{name}-listen=127.0.0.1:0" for name in ("gateway", "operator", "admin", "portal")]
        command = [str(self.binary), "up", "--json", "--no-demo", *listens]
        self.spawn(command, log, stdout=-1, env=environment, cwd=self.directory)
        if not select.select([self.process.stdout], [], [], 120)[0]:
            raise SystemExit(f"bench: tollgate was not ready within 120 s:\n{log.read_text()[-2000:]}")
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"bench: tollgate ended:\n{log.read_text()[-2000:]}")
        welcome = json.loads(line)
        self.url, self.admin = welcome["gateway_url"], (welcome["admin_url"], welcome["admin_token"])
        self.postmaster = next(
            (int(file.read_text().split()[0]) for file in Path(self.data).rglob("postmaster.pid")), None
        )
        self.publish()

    def publish(self):
        """Configures the bench's API as an operator would, and waits until the gateway answers with it."""
        service = self.post("services", slug="bench", name="Bench", targets=[{"url": self.upstream.url}])
        parameter = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
        answers = {"200": {"description": "It."}}
        paths = {
            f"/v1/things{number}/{{id}}": {"get": {"parameters": [parameter], "responses": answers}}
            for number in range(ROUTES)
        }
        document = {"openapi": "3.1.0", "info": {"title": "Bench", "version": "1"}, "paths": paths}
        api = self.post(
            "apis", slug="bench", name="Bench", service_id=service["id"], base_path="/bench", state="published",
            document=document,
        )
        product = self.post("products", slug="bench", name="Bench", state="published", apis=[api["id"]])
        plan = self.post(
            "plans", product_id=product["id"], slug="bench", name="Bench",
            price={"minor": 0, "currency": "EUR", "per": "month"},
            limits=[
                {"name": "burst", "kind": "rate", "amount": 1_000_000, "period": "second"},
                {"name": "month", "kind": "quota", "amount": 1_000_000_000_000, "period": "month"},
            ],
        )
        organization = self.post("organizations", name="Bench")
        secrets = []
        while len(secrets) < self.keys:
            application = self.post(
                "applications", organization_id=organization["id"], name=f"Bench {len(secrets)}"
            )
            self.post("subscriptions", application_id=application["id"], plan_id=plan["id"])
            for _ in range(min(KEYS_PER_APPLICATION, self.keys - len(secrets))):
                key = self.post("keys", application_id=application["id"], name="Bench")
                secrets.append(key["secret"])
        self.headers = {"X-API-Key": secrets[len(secrets) // 2]}
        self.wait_until_served()

    def post(self, resource, **body):
        """Creates something through the admin API."""
        url, token = self.admin
        request = urllib.request.Request(
            f"{url}/v1/{resource}", data=json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise SystemExit(f"bench: POST {resource}: {error.code}: {error.read().decode()}") from error

    def wait_until_served(self):
        """A change is in force in under a second; more than ten are a fault."""
        deadline = time.monotonic() + 10
        while True:
            request = urllib.request.Request(self.url + self.path, headers=self.headers)
            try:
                with urllib.request.urlopen(request, timeout=5):
                    return
            except urllib.error.HTTPError as error:
                if time.monotonic() > deadline:
                    raise SystemExit(f"bench: tollgate: {error.code}: {error.read().decode()}") from error
            time.sleep(0.05)

    def pids(self):
        """The process itself; its database is reported beside it."""
        return [self.process.pid]

    def beside(self):
        """What the private PostgreSQL used so far."""
        return {"PostgreSQL": cpu_seconds(family(self.postmaster))} if self.postmaster else {}
