"""Caddy and Envoy as plain proxies."""

import json
import os

from .process import Server, wait_for_port


class Caddy(Server):
    """Caddy as a plain proxy."""

    name = "caddy"

    def __init__(self, directory, upstream, threads, certificate):
        super().__init__()
        self.directory = directory / "caddy"
        self.directory.mkdir(mode=0o755)
        self.upstream, self.threads, self.certificate = upstream, threads, certificate

    def start(self):
        conf, log = self.directory / "Caddyfile", self.directory / "log"
        forward = f"""reverse_proxy 127.0.0.1:{self.upstream.port} {{
        transport http {{
            keepalive_idle_conns 2048
            keepalive_idle_conns_per_host 2048
        }}
    }}"""
        conf.write_text(f"""{{
    admin off
    auto_https off
    default_sni 127.0.0.1
    servers {{
        protocols h1 h2
    }}
}}
http://127.0.0.1:{self.port} {{
    {forward}
}}
https://127.0.0.1:{self.tls_port} {{
    tls {self.certificate.chain} {self.certificate.key}
    {forward}
}}
""")
        environment = {"GOMAXPROCS": str(self.threads), "HOME": str(self.directory), "PATH": os.environ["PATH"]}
        self.spawn(["caddy", "run", "--config", str(conf), "--adapter", "caddyfile"], log, env=environment)
        wait_for_port(self.port, self.process, log)


class Envoy(Server):
    """Envoy as a plain proxy."""

    name = "envoy"

    def __init__(self, directory, upstream, threads, certificate, binary):
        super().__init__()
        self.directory = directory / "envoy"
        self.directory.mkdir(mode=0o755)
        self.upstream, self.threads, self.certificate, self.binary = upstream, threads, certificate, binary

    def start(self):
        conf, log = self.directory / "envoy.json", self.directory / "log"
        conf.write_text(json.dumps({"static_resources": {
            "listeners": [self.listener("plain", self.port), self.listener("tls", self.tls_port, True)],
            "clusters": [{
                "name": "up", "type": "STATIC", "connect_timeout": "5s",
                "circuit_breakers": {"thresholds": [
                    {name: 100_000 for name in ("max_connections", "max_pending_requests", "max_requests")}
                ]},
                "load_assignment": {"cluster_name": "up", "endpoints": [{"lb_endpoints": [
                    {"endpoint": {"address": address(self.upstream.port)}}
                ]}]},
            }],
        }}))
        command = [str(self.binary), "-c", str(conf), "--concurrency", str(self.threads), "--disable-hot-restart"]
        self.spawn([*command, "--log-level", "error"], log)
        wait_for_port(self.port, self.process, log)

    def listener(self, name, port, tls=False):
        """One listener that forwards everything."""
        manager = {
            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3"
                     ".HttpConnectionManager",
            "stat_prefix": name,
            "generate_request_id": False,
            "http_filters": [{"name": "router", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
                "suppress_envoy_headers": True,
            }}],
            "route_config": {"virtual_hosts": [{
                "name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "up"}}],
            }]},
        }
        chain = {"filters": [{"name": "http", "typed_config": manager}]}
        if tls:
            pair = {"certificate_chain": {"filename": str(self.certificate.chain)},
                    "private_key": {"filename": str(self.certificate.key)}}
            chain["transport_socket"] = {"name": "tls", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
                "common_tls_context": {"tls_certificates": [pair], "alpn_protocols": ["h2", "http/1.1"]},
            }}
        return {"name": name, "address": address(port), "filter_chains": [chain]}


def address(port):
    """A port of the loopback interface in Envoy's words."""
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
