"""The upstream, and the plain proxies that Tollgate is measured beside."""

import http.client
import secrets

from .process import Server, free_port, wait_for_port

BODY = (b"0123456789abcdef" * 64)[:1024]


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
    """Answers 1 KiB from memory and counts what it sees."""

    name = "upstream"
    body = BODY

    def __init__(self, directory):
        super().__init__(directory, "upstream")
        self.status_port = free_port()

    def http(self):
        return f"""
    server {{ listen 127.0.0.1:{self.port} backlog=4096; location / {{ return 200 "{BODY.decode()}"; }} }}
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

    def __init__(self, directory, upstream, threads):
        self.directory = directory / "haproxy"
        self.directory.mkdir(mode=0o755)
        self.upstream, self.threads = upstream, threads
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

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
    default_backend back
backend back
    server up 127.0.0.1:{self.upstream.port}
""")
        self.spawn(["haproxy", "-db", "-f", str(conf)], log)
        wait_for_port(self.port, self.process, log)
