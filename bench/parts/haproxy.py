"""HAProxy: the plain proxy, and the proxy with keys and a limit."""

import secrets

from .process import Server, wait_for_port


class HaProxy(Server):
    """HAProxy as a plain proxy that shares its upstream connections."""

    name = "haproxy"

    def __init__(self, directory, upstream, threads, certificate, label="haproxy"):
        super().__init__()
        self.directory = directory / label
        self.directory.mkdir(mode=0o755)
        self.upstream, self.threads, self.certificate = upstream, threads, certificate

    def rules(self):
        """What stands in the frontend beside the forwarding."""
        return ""

    def start(self):
        conf, log = self.directory / "haproxy.cfg", self.directory / "log"
        conf.write_text(f"""
global
    maxconn 4096
    nbthread {self.threads}
defaults
    mode http
    http-reuse always
    timeout connect 5s
    timeout client 60s
    timeout server 60s
frontend front
    bind 127.0.0.1:{self.port}
    bind 127.0.0.1:{self.tls_port} ssl crt {self.certificate.both} alpn h2,http/1.1
{self.rules()}
    default_backend back
backend back
    server up 127.0.0.1:{self.upstream.port}
""")
        self.spawn(["haproxy", "-db", "-f", str(conf)], log)
        wait_for_port(self.port, self.process, log)


class HaProxyWithKeys(HaProxy):
    """HAProxy with what it has of an API gateway: a map of keys and a rate per consumer."""

    name = "haproxy, keys and limit"

    def __init__(self, directory, upstream, threads, certificate, keys):
        super().__init__(directory, upstream, threads, certificate, "haproxy-keys")
        self.keys = [secrets.token_hex(26) for _ in range(max(1, keys))]
        self.headers = {"X-API-Key": self.keys[len(self.keys) // 2]}

    def rules(self):
        known = self.directory / "keys.map"
        known.write_text("".join(f"{key} consumer-{number}\n" for number, key in enumerate(self.keys)))
        return f"""
    stick-table type string len 32 size 1m expire 60s store http_req_rate(1s)
    http-request set-var(txn.consumer) req.hdr(x-api-key),map_str({known})
    http-request deny deny_status 401 unless {{ var(txn.consumer) -m found }}
    http-request track-sc0 var(txn.consumer)
    http-request deny deny_status 429 if {{ sc_http_req_rate(0) gt 1000000 }}
    http-request del-header x-api-key
    http-request set-header x-consumer-id %[var(txn.consumer)]"""
