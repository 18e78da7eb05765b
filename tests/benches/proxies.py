"""nginx behind nginx proxies, TLS 1.3 on three links: what a site would put there without Guantong.

    curl ══TLS══ proxy ══TLS══ proxy ══TLS══ nginx with the file
    wrk ── proxy ══mTLS══ proxy ══mTLS══ proxy ══mTLS══ nginx with the answer

One worker each, as a node has one core; proxied bodies go through memory and never through temporary files.
"""

import os
import pathlib
import re
import signal
import subprocess
import time

from federation import free_port, wait

CONFIGURATION = """
worker_processes 1;
daemon off;
pid {folder}/{name}.pid;
error_log {folder}/{name}.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/{name}-body; proxy_temp_path {folder}/{name}-proxy; fastcgi_temp_path {folder}/{name}-f;
    uwsgi_temp_path {folder}/{name}-u; scgi_temp_path {folder}/{name}-s;
    sendfile on;
    {what}
}}
"""
SERVER = """server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;
        ssl_protocols TLSv1.3;
        {more}
        location / {{ {what} }}
    }}
"""
PROXY = ("proxy_pass https://127.0.0.1:{next}; proxy_ssl_protocols TLSv1.3; proxy_http_version 1.1; proxy_set_header Connection ''; "
         "proxy_max_temp_file_size 0; proxy_buffer_size 64k; proxy_buffers 16 64k; proxy_busy_buffers_size 256k;")


# What both ends of a link with certificates on both sides say.
ASKED = "ssl_client_certificate {folder}/cert.pem; ssl_verify_client on; keepalive_requests 10000000;"
ASKING = """upstream next {{ server 127.0.0.1:{next}; keepalive 256; keepalive_requests 10000000; }}
"""
PROXY_CALL = ("proxy_pass https://next; proxy_ssl_protocols TLSv1.3; proxy_http_version 1.1; proxy_set_header Connection ''; proxy_ssl_name localhost; "
              "proxy_ssl_certificate {folder}/cert.pem; proxy_ssl_certificate_key {folder}/key.pem; proxy_ssl_trusted_certificate {folder}/cert.pem; proxy_ssl_verify on;")


class Servers:
    """Some nginx, each with what stands in its `http` block, started and stopped."""

    def __init__(self, folder):
        self.folder, self.processes = pathlib.Path(folder), []
        (self.folder / "files").mkdir(parents=True)
        # Its worker is another user's process and reads the files.
        for folder in (self.folder, self.folder / "files", *self.folder.parents[:1]):
            folder.chmod(0o755)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                        "-keyout", self.folder / "key.pem", "-out", self.folder / "cert.pem"], check=True, capture_output=True)

    def start(self, name, what):
        path = self.folder / f"{name}.conf"
        path.write_text(CONFIGURATION.format(folder=self.folder, name=name, what=what))
        self.processes.append(subprocess.Popen(["nginx", "-p", str(self.folder), "-c", str(path)], start_new_session=True,
                                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def __exit__(self, *_):
        for process in self.processes:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=20)


def answered(url):
    return subprocess.run(["curl", "-sk", "-o", "/dev/null", url]).returncode == 0


class Chain(Servers):
    """Three proxies and the server that answers, with certificates on both sides of the links between them."""

    def __init__(self, folder, answer):
        super().__init__(folder)
        self.answer, self.ports = answer, [free_port() for _ in range(5)]
        self.front, self.backend = (f"http://127.0.0.1:{port}" for port in (self.ports[0], self.ports[4]))

    def __enter__(self):
        says = f"default_type application/json; return 200 '{self.answer}';"
        asked, call = ASKED.format(folder=self.folder), PROXY_CALL.format(folder=self.folder)
        plain = "server {{ listen 127.0.0.1:{port}; keepalive_requests 10000000; location / {{ {what} }} }}\n"
        server = SERVER.format(folder=self.folder, port=self.ports[3], more=asked, what=says)
        self.start("server", server + plain.format(port=self.ports[4], what=says))
        for number in (2, 1):
            proxy = SERVER.format(folder=self.folder, port=self.ports[number], more=asked, what=call)
            self.start(f"proxy{number}", ASKING.format(next=self.ports[number + 1]) + proxy)
        self.start("proxy0", ASKING.format(next=self.ports[1]) + plain.format(port=self.ports[0], what=call))
        wait("nginx", lambda: answered(self.backend) and subprocess.run(["curl", "-sf", self.front], capture_output=True, text=True).stdout == self.answer)
        return self


class Proxies(Servers):
    """Two proxies and the file's server."""

    def __enter__(self):
        self.ports = [free_port() for _ in range(3)]
        whats = [f"root {self.folder}/files;", *(PROXY.format(next=port) for port in self.ports[:2])]
        for name, port, what in zip(("origin", "second", "first"), self.ports, whats):
            self.start(name, SERVER.format(folder=self.folder, port=port, more="", what=what))
        wait("nginx", lambda: all(answered(f"https://127.0.0.1:{port}/none") for port in self.ports))
        return self

    def cpu_seconds(self, process):
        """Of a master and its worker."""
        workers = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        total = 0
        for pid in (process.pid, *workers):
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
        return total / os.sysconf("SC_CLK_TCK")

    def fetch(self, path):
        """Fetches a file through the proxies into a synced file; figures as of the nodes."""
        served, out = self.folder / "files" / path.name, self.folder / "fetched"
        size = path.stat().st_size
        os.replace(path, served)
        served.chmod(0o644)
        out.unlink(missing_ok=True)
        os.sync()
        before = [self.cpu_seconds(process) for process in self.processes]
        begun = time.perf_counter()
        timed = subprocess.run(["bash", "-c", f"time curl -skf -o '{out}' https://127.0.0.1:{self.ports[2]}/{path.name} && sync -d '{out}'"], capture_output=True, text=True,
                               check=True, env={**os.environ, "LC_ALL": "C", "TIMEFORMAT": "%U %S"})
        took = time.perf_counter() - begun
        curl = sum(float(word) for word in re.findall(r"\d+\.\d+", timed.stderr))
        if out.stat().st_size != size:
            raise SystemExit(f"nginx gave {out.stat().st_size} of {size} bytes")
        spent = [self.cpu_seconds(process) - was for process, was in zip(self.processes, before)]
        served.unlink()
        gigabytes = size / 1e9
        return {"mib_s": round(size / (1 << 20) / took, 1), "between_cpu_s_gb": round(sum(spent[1:]) / gigabytes, 2),
                "ends_cpu_s_gb": round((spent[0] + curl) / gigabytes, 2)}
