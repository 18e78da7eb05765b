"""nginx serving a file through two nginx proxies, TLS 1.3 on every link: what a site would put there without Guantong.

    curl ══TLS══ proxy ══TLS══ proxy ══TLS══ nginx with the file

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
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;
        ssl_protocols TLSv1.3;
        location / {{ {what} }}
    }}
}}
"""
PROXY = ("proxy_pass https://127.0.0.1:{next}; proxy_ssl_protocols TLSv1.3; proxy_http_version 1.1; proxy_set_header Connection ''; "
         "proxy_max_temp_file_size 0; proxy_buffer_size 64k; proxy_buffers 16 64k; proxy_busy_buffers_size 256k;")


class Proxies:
    """Three nginx, started and stopped; the file's first."""

    def __init__(self, folder):
        self.folder, self.ports, self.processes = pathlib.Path(folder), [free_port() for _ in range(3)], []

    def __enter__(self):
        (self.folder / "files").mkdir(parents=True)
        # Its worker is another user's process and reads the files.
        for folder in (self.folder, self.folder / "files", *self.folder.parents[:1]):
            folder.chmod(0o755)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                        "-keyout", self.folder / "key.pem", "-out", self.folder / "cert.pem"], check=True, capture_output=True)
        whats = [f"root {self.folder}/files;", *(PROXY.format(next=port) for port in self.ports[:2])]
        for name, port, what in zip(("origin", "second", "first"), self.ports, whats):
            path = self.folder / f"{name}.conf"
            path.write_text(CONFIGURATION.format(folder=self.folder, name=name, port=port, what=what))
            self.processes.append(subprocess.Popen(["nginx", "-p", str(self.folder), "-c", str(path)], start_new_session=True,
                                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        wait("nginx", lambda: all(self._answers(port) for port in self.ports))
        return self

    def _answers(self, port):
        return subprocess.run(["curl", "-sk", "-o", "/dev/null", f"https://127.0.0.1:{port}/none"]).returncode == 0

    def __exit__(self, *_):
        for process in self.processes:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=20)

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
