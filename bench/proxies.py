"""Plain proxies, which know nothing of prices or keys: nginx, HAProxy, Envoy.

Each passes one port on to the provider's plain one, and another to its port with TLS, whose
certificate it checks.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from typing import Any

from bench.measure import tree
from bench.systems import Peer

NGINX_CONFIG = """\
{user}worker_processes 1;
daemon off;
error_log {folder}/error.log warn;
pid {folder}/nginx.pid;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_body_buffer_size 256k;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    upstream provider {{
        server 127.0.0.1:{mock.port};
        keepalive 1024;
        keepalive_requests 1000000000;
    }}
    upstream provider_tls {{
        server 127.0.0.1:{mock.tls_port};
        keepalive 1024;
        keepalive_requests 1000000000;
    }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{ proxy_pass http://provider; }}
    }}
    server {{
        listen 127.0.0.1:{tls_port} backlog=4096;
        location / {{
            proxy_pass https://provider_tls;
            proxy_ssl_verify on;
            proxy_ssl_name localhost;
            proxy_ssl_trusted_certificate {mock.certificate};
        }}
    }}
}}
"""

HAPROXY_CONFIG = """\
global
    nbthread 1
    maxconn 8192
defaults
    mode http
    http-reuse always
    # Without it, it waits for more of a stream before it sends what it has.
    option http-no-delay
    timeout connect 5s
    timeout client 60s
    timeout server 60s
frontend plain
    bind 127.0.0.1:{port} backlog 4096
    default_backend provider
backend provider
    server mock 127.0.0.1:{mock.port} pool-max-conn -1
frontend tls
    bind 127.0.0.1:{tls_port} backlog 4096
    default_backend provider_tls
backend provider_tls
    server mock 127.0.0.1:{mock.tls_port} pool-max-conn -1 ssl verify required \
verifyhost localhost sni str(localhost) ca-file {mock.certificate}
"""


class Nginx(Peer):
    """A plain reverse proxy: the least that a gateway in between can cost."""

    def read_version(self) -> str:
        """Return the program's version."""
        return _told([self.program, "-v"], r"nginx/(\S+)")

    def prepare(self) -> tuple[list[str], dict[str, str]]:
        """Write its configuration; return its command."""
        user = "user root;\n" if os.getuid() == 0 else ""
        config = self.folder / "nginx.conf"
        config.write_text(NGINX_CONFIG.format(user=user, **vars(self)))
        return [str(self.program), "-p", str(self.folder), "-c", str(config)], {}

    def serving(self) -> list[int]:
        """Return its worker: the first process only watches."""
        assert self.process is not None
        return tree(self.process.pid)[1:]


class Haproxy(Peer):
    """Another plain proxy, with one thread."""

    def read_version(self) -> str:
        """Return the program's version."""
        return _told([self.program, "-v"], r"version (\S+)")

    def prepare(self) -> tuple[list[str], dict[str, str]]:
        """Write its configuration; return its command."""
        config = self.folder / "haproxy.cfg"
        config.write_text(HAPROXY_CONFIG.format(**vars(self)))
        return [str(self.program), "-db", "-f", str(config)], {}


class Envoy(Peer):
    """The proxy that gateways of the cloud are built on, with one thread that serves."""

    def read_version(self) -> str:
        """Return the program's version."""
        return _told([self.program, "--version"], r"/(\d+\.\d+\.\d+)")

    def prepare(self) -> tuple[list[str], dict[str, str]]:
        """Write its configuration; return its command."""
        config = self.folder / "envoy.json"
        trusted = {"trusted_ca": {"filename": str(self.mock.certificate)}}
        tls = {
            "@type": _type("transport_sockets.tls.v3.UpstreamTlsContext"),
            "sni": "localhost",
            "common_tls_context": {"validation_context": trusted},
        }
        config.write_text(
            json.dumps(
                {
                    "static_resources": {
                        "listeners": [
                            _listener("plain", self.port),
                            _listener("tls", self.tls_port),
                        ],
                        "clusters": [
                            _cluster("plain", self.mock.port),
                            {
                                **_cluster("tls", self.mock.tls_port),
                                "transport_socket": {"name": "tls", "typed_config": tls},
                            },
                        ],
                    }
                }
            )
        )
        command = [str(self.program), "-c", str(config), "--concurrency", "1"]
        return [*command, "--disable-hot-restart", "--log-level", "error"], {}


def _type(name: str) -> str:
    return f"type.googleapis.com/envoy.extensions.{name}"


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _listener(name: str, port: int) -> dict[str, Any]:
    everything = {"match": {"prefix": "/"}, "route": {"cluster": name, "timeout": "0s"}}
    router = {
        "name": "router",
        "typed_config": {"@type": _type("filters.http.router.v3.Router")},
    }
    manager = {
        "@type": _type("filters.network.http_connection_manager.v3.HttpConnectionManager"),
        "stat_prefix": name,
        "generate_request_id": False,
        "route_config": {
            "virtual_hosts": [{"name": name, "domains": ["*"], "routes": [everything]}]
        },
        "http_filters": [router],
    }
    chain = {"filters": [{"name": "http", "typed_config": manager}]}
    return {"name": name, "address": _address(port), "filter_chains": [chain]}


def _cluster(name: str, port: int) -> dict[str, Any]:
    limits = dict.fromkeys(("max_connections", "max_pending_requests", "max_requests"), 100_000)
    endpoint = {"endpoint": {"address": _address(port)}}
    return {
        "name": name,
        "type": "STATIC",
        "circuit_breakers": {"thresholds": [limits]},
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [endpoint]}],
        },
    }


def _told(command: list[Any], pattern: str) -> str:
    """Return what a program says of its version."""
    ran = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    found = re.search(pattern, ran.stdout + ran.stderr)
    return found[1] if found else "version unknown"
