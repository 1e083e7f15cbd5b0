"""The upstream, and the plain proxies that Tollgate is measured beside."""

import http.client
import os
import secrets

from .process import Server, free_port, wait_for_port



def body_of(kib):
    """An answer's body of so many KiB."""
    return b"0123456789abcdef" * 64 * kib


def nginx_conf(directory, http, workers):
    """A whole nginx configuration with its files in one directory; logs of single calls are off."""
    return f"""
worker_processes {workers};
daemon off;
pid {directory}/pid;
error_log stderr warn;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    default_type text/plain;
    keepalive_requests 100000000;
    keepalive_timeout 75s;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
{http}
}}
"""


class NginxProcess(Server):
    """An nginx with a directory of its own."""

    workers = 1

    def __init__(self, directory, label):
        self.directory = directory / label
        self.directory.mkdir(mode=0o755)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def http(self):
        """What stands in the http block."""
        raise NotImplementedError

    def start(self):
        conf, log = self.directory / "nginx.conf", self.directory / "log"
        conf.write_text(nginx_conf(self.directory, self.http(), self.workers))
        self.spawn(["nginx", "-p", str(self.directory), "-c", str(conf)], log)
        wait_for_port(self.port, self.process, log)


class Upstream(NginxProcess):
    """Answers so many KiB, one from memory and more from the page cache, and counts what it sees."""

    name = "upstream"

    def __init__(self, directory, kib):
        super().__init__(directory, "upstream")
        self.status_port = free_port()
        self.body = body_of(kib)
        (self.directory / "answer").write_bytes(self.body)

    def http(self):
        # A word of nginx's configuration holds 4 KiB at most.
        answer = f'return 200 "{self.body.decode()}";'
        if len(self.body) > 2048:
            answer = f"root {self.directory}; open_file_cache max=4; sendfile on; rewrite ^ /answer break;"
        return f"""
    server {{ listen 127.0.0.1:{self.port} backlog=4096; location / {{ {answer} }} }}
    server {{ listen 127.0.0.1:{self.status_port}; location / {{ stub_status; }} }}
"""

    def seen(self):
        """Connections and requests so far, without this question and those before it."""
        self.questions = getattr(self, "questions", 0) + 1
        connection = http.client.HTTPConnection("127.0.0.1", self.status_port, timeout=5)
        connection.request("GET", "/")
        lines = connection.getresponse().read().decode().splitlines()
        connection.close()
        accepts, _, requests = (int(number) for number in lines[2].split())
        return {"accepts": accepts - self.questions, "requests": requests - self.questions}


class Direct(Server):
    """No proxy: what the upstream and the load cost by themselves."""

    name = "direct"
    what = "the upstream alone"

    def __init__(self, upstream):
        self.upstream = upstream
        self.url = upstream.url

    def start(self):
        self.process = self.upstream.process

    def stop(self):
        pass


class Nginx(NginxProcess):
    """nginx as a plain proxy with kept-alive upstream connections."""

    name = "nginx"
    what = "plain proxy"

    def __init__(self, directory, upstream, workers, label="nginx"):
        super().__init__(directory, label)
        self.upstream, self.workers = upstream, workers

    def preamble(self):
        """What stands before the server."""
        return ""

    def location(self):
        """What stands in the location beside the proxying."""
        return ""

    def http(self):
        return f"""
    upstream up {{
        server 127.0.0.1:{self.upstream.port};
        keepalive 256;
        keepalive_requests 100000000;
    }}
{self.preamble()}
    server {{
        listen 127.0.0.1:{self.port} backlog=4096;
        location / {{
            {self.location()}
            proxy_pass http://up;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }}
    }}
"""


class NginxWithKeys(Nginx):
    """nginx with what it has of an API gateway: a map of keys and a rate limit per consumer."""

    name = "nginx, keys and limit"
    what = "key map, limit_req per consumer, key removed"

    def __init__(self, directory, upstream, workers, keys):
        super().__init__(directory, upstream, workers, "nginx-keys")
        self.keys = [secrets.token_hex(26) for _ in range(max(1, keys))]
        self.headers = {"X-API-Key": self.keys[len(self.keys) // 2]}

    def preamble(self):
        known = "\n".join(f'        "{key}" consumer-{number};' for number, key in enumerate(self.keys))
        return f"""
    map_hash_bucket_size 128;
    map_hash_max_size 65536;
    map $http_x_api_key $consumer {{
        default "";
{known}
    }}
    limit_req_zone $consumer zone=consumers:10m rate=1000000r/s;
    limit_req_status 429;
"""

    def location(self):
        return """if ($consumer = "") { return 401; }
            limit_req zone=consumers burst=100000 nodelay;
            proxy_set_header X-API-Key "";
            proxy_set_header X-Consumer-Id $consumer;"""


class HaProxy(Server):
    """HAProxy as a plain proxy that shares its upstream connections."""

    name = "haproxy"
    what = "plain proxy"

    def __init__(self, directory, upstream, threads, label="haproxy"):
        self.directory = directory / label
        self.directory.mkdir(mode=0o755)
        self.upstream, self.threads = upstream, threads
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

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
    what = "key map, stick table per consumer, key removed"

    def __init__(self, directory, upstream, threads, keys):
        super().__init__(directory, upstream, threads, "haproxy-keys")
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


class Caddy(Server):
    """Caddy as a plain proxy."""

    name = "caddy"
    what = "plain proxy"

    def __init__(self, directory, upstream, threads):
        self.directory = directory / "caddy"
        self.directory.mkdir(mode=0o755)
        self.upstream, self.threads = upstream, threads
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self):
        conf, log = self.directory / "Caddyfile", self.directory / "log"
        conf.write_text(f"""{{
    admin off
    auto_https off
}}
http://127.0.0.1:{self.port} {{
    reverse_proxy 127.0.0.1:{self.upstream.port} {{
        transport http {{
            keepalive_idle_conns 256
            keepalive_idle_conns_per_host 256
        }}
    }}
}}
""")
        environment = {"GOMAXPROCS": str(self.threads), "HOME": str(self.directory), "PATH": os.environ["PATH"]}
        self.spawn(["caddy", "run", "--config", str(conf), "--adapter", "caddyfile"], log, env=environment)
        wait_for_port(self.port, self.process, log)
