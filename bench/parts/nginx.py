"""nginx: the upstream of everybody, the plain proxy, and the proxy with keys and a limit."""

import http.client
import secrets

from .process import LARGE_PATH, SMALL_PATH, Server, free_port, wait_for_port


def body_of(kib):
    """An answer's body of so many KiB."""
    return b"0123456789abcdef" * 64 * kib


def nginx_conf(directory, http, workers):
    """A whole nginx configuration with its files in one directory; logs of single calls are off."""
    return f"""
worker_processes {workers};
worker_rlimit_nofile 16384;
daemon off;
pid {directory}/pid;
error_log stderr warn;
events {{ worker_connections 8192; }}
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
        super().__init__()
        self.directory = directory / label
        self.directory.mkdir(mode=0o755)

    def http(self):
        """What stands in the http block."""
        raise NotImplementedError

    def start(self):
        conf, log = self.directory / "nginx.conf", self.directory / "log"
        conf.write_text(nginx_conf(self.directory, self.http(), self.workers))
        self.spawn(["nginx", "-p", str(self.directory), "-c", str(conf)], log)
        wait_for_port(self.port, self.process, log)


class Upstream(NginxProcess):
    """Answers 1 KiB from memory and 100 KiB from the page cache, and counts what it sees."""

    name = "upstream"

    def __init__(self, directory):
        super().__init__(directory, "upstream")
        self.status_port = free_port()
        self.bodies = {SMALL_PATH: body_of(1), LARGE_PATH: body_of(100)}
        (self.directory / "answer").write_bytes(self.bodies[LARGE_PATH])
        self.questions = 0

    def http(self):
        # A word of nginx's configuration holds 4 KiB at most, so the large answer is a file.
        return f"""
    server {{
        listen 127.0.0.1:{self.port} backlog=4096;
        location / {{ return 200 "{self.bodies[SMALL_PATH].decode()}"; }}
        location {LARGE_PATH} {{
            root {self.directory}; open_file_cache max=4; sendfile on; rewrite ^ /answer break;
        }}
    }}
    server {{ listen 127.0.0.1:{self.status_port}; location / {{ stub_status; }} }}
"""

    def seen(self):
        """Connections and requests so far, without this question and those before it."""
        self.questions += 1
        connection = http.client.HTTPConnection("127.0.0.1", self.status_port, timeout=5)
        connection.request("GET", "/")
        lines = connection.getresponse().read().decode().splitlines()
        connection.close()
        accepts, _, requests = (int(number) for number in lines[2].split())
        return {"accepts": accepts - self.questions, "requests": requests - self.questions}


class Direct(Server):
    """No proxy: what the upstream and the load cost by themselves."""

    name = "direct"
    speaks_tls = False

    def __init__(self, upstream):
        super().__init__()
        self.upstream, self.port = upstream, upstream.port

    def start(self):
        self.process = self.upstream.process

    def stop(self):
        pass


class Nginx(NginxProcess):
    """nginx as a plain proxy with kept-alive upstream connections."""

    name = "nginx"

    def __init__(self, directory, upstream, workers, certificate, label="nginx"):
        super().__init__(directory, label)
        self.upstream, self.workers, self.certificate = upstream, workers, certificate

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
        keepalive 2048;
        keepalive_requests 100000000;
    }}
{self.preamble()}
    server {{
        listen 127.0.0.1:{self.port} backlog=4096;
        listen 127.0.0.1:{self.tls_port} ssl http2 backlog=4096;
        ssl_certificate {self.certificate.chain};
        ssl_certificate_key {self.certificate.key};
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

    def __init__(self, directory, upstream, workers, certificate, keys):
        super().__init__(directory, upstream, workers, certificate, "nginx-keys")
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
