"""A small federation of real nodes on loopback, made with the commands that operators use. Shared by the benchmarks beside it.

Standard library only. Nothing in here measures; it starts, asks and stops.
"""

import argparse
import datetime
import http.client
import json
import os
import pathlib
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
LEVELS = ("hub", "province", "prefecture", "county")
# Role, and whether the person belongs to the department (else to the authority).
PEOPLE = (
    ("department-head", True),
    ("sharing-office-head", True),
    ("operator", True),
    ("authority-reviewer", False),
)
CHECK_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
CHECK_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
# Longest wait for something that a healthy machine does in a second or two.
PATIENCE = 120


def credit_code(first):
    """A unified social credit code from its first seventeen characters (GB 32100-2015)."""
    total = sum(CHECK_ALPHABET.index(c) * w for c, w in zip(first, CHECK_WEIGHTS))
    return first + CHECK_ALPHABET[(31 - total % 31) % 31]


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def wait(what, check, patience=PATIENCE, pause=0.02):
    """What `check` gives as soon as it is true; how long is for the caller to measure."""
    end = time.monotonic() + patience
    while True:
        found = check()
        if found:
            return found
        if time.monotonic() > end:
            raise SystemExit(f"{what}: not within {patience} s")
        time.sleep(pause)


class Node:
    """One node: its folder, its process, its API."""

    def __init__(self, federation, code, name, level, parent, settings=(), inside=(), host="127.0.0.1", link_host="127.0.0.1"):
        self.federation, self.code, self.name, self.level, self.parent = federation, code, name, level, parent
        self.data = federation.dir / "nodes" / code
        self.people = federation.dir / "people" / code
        self.log = federation.dir / f"{code}.log"
        # `inside` is a command under which the process runs, such as `ip netns exec NAME`; `settings` are keys of the configuration.
        self.inside, self.host, self.settings = list(inside), host, dict(settings)
        self.link = f"/ip4/{link_host}/tcp/{free_port()}"
        self.port = free_port()
        self.process = None
        digits = code if code.isdigit() else "100000"
        tail = "" if code.isdigit() else "".join(f"{CHECK_ALPHABET.index(c.upper()) % 10}" for c in code if c.upper() in CHECK_ALPHABET)
        self.department = (credit_code(f"11{digits}DEM{(tail + '000001')[-6:]}"), f"{name}民政局")
        self.authority = (credit_code(f"11{digits}DEM{(tail + '000900')[-6:]}"), f"{name}数据局")

    def key(self, role):
        return self.people / f"{role}.key"

    def token(self):
        return (self.data / "tokens" / "admin.token").read_text().strip()

    def start(self, wrapper=()):
        """Starts the process; `wrapper` is a command to run it under."""
        settings = [word for key, value in self.settings.items() for word in ("--set", f"{key}={value}")]
        command = [*self.inside, *wrapper, str(self.federation.binary), "run", "--data", str(self.data), *settings]
        with open(self.log, "ab") as log:
            self.log_start = log.tell()
            self.process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                            env=self.federation.environment, start_new_session=True)
        return self

    def ready(self):
        wait(f"{self.code} answers", self._healthy)
        return self

    def _healthy(self):
        if self.process.poll() is not None:
            tail = self.log.read_text(errors="replace")[-1500:]
            raise SystemExit(f"{self.code} ended with {self.process.returncode}:\n{tail}")
        try:
            return self._call("GET", "/healthz", None)[0] == 200
        except OSError:
            return False

    def connected_at(self):
        """Unix time at which a neighbour first connected to the process that runs now, from its log; none so far is None."""
        for line in self.log.read_bytes()[self.log_start:].decode(errors="replace").splitlines():
            if " connected peer=" in line:
                return datetime.datetime.fromisoformat(line.split()[0].replace("Z", "+00:00")).timestamp()
        return None

    def stop(self, how=signal.SIGTERM):
        if self.process is None:
            return
        if self.process.poll() is None:
            os.killpg(self.process.pid, how)
            self.process.wait(timeout=30)
        self.process = None

    def pid(self):
        """The node's own process, also when it runs under a wrapper."""
        pid = self.process.pid
        while True:
            if os.readlink(f"/proc/{pid}/exe") == str(self.federation.binary):
                return pid
            pid = int(pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.pid()}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_kib(self, line="VmRSS"):
        status = pathlib.Path(f"/proc/{self.pid()}/status").read_text()
        return int(next(row for row in status.splitlines() if row.startswith(line + ":")).split()[1])

    def written_bytes(self):
        rows = pathlib.Path(f"/proc/{self.pid()}/io").read_text().splitlines()
        return int(next(row for row in rows if row.startswith("write_bytes:")).split()[1])

    def _call(self, method, path, body, connection=None):
        own = connection or http.client.HTTPConnection(self.host, self.port, timeout=60)
        try:
            headers = {"Authorization": f"Bearer {self.token()}", "Accept-Language": "en"}
            if body is not None:
                headers["Content-Type"] = "application/json"
            own.request(method, path, body, headers)
            answer = own.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            # A connection that failed once is of no use as it is; closed, it connects again with the next request.
            own.close()
            raise
        finally:
            if connection is None:
                own.close()

    def connection(self):
        """One kept connection, for requests that must not pay for a new one."""
        return http.client.HTTPConnection(self.host, self.port, timeout=60)

    def get(self, path, connection=None, missing=None):
        """The JSON at a path below /api/v1; `missing` when there is none."""
        try:
            status, body = self._call("GET", f"/api/v1{path}", None, connection)
        except (OSError, http.client.HTTPException):
            return missing
        if status == 404 or status == 503:
            return missing
        if status != 200:
            raise SystemExit(f"GET {self.code} {path}: {status} {body[:500].decode(errors='replace')}")
        return json.loads(body)

    def post(self, path, body, connection=None):
        status, answer = self._call("POST", f"/api/v1{path}", json.dumps(body), connection)
        if status not in (200, 201):
            raise SystemExit(f"POST {self.code} {path}: {status} {answer[:500].decode(errors='replace')}")
        return json.loads(answer)

    def metrics(self, connection=None):
        """The node's metrics without labels, by name without the prefix; empty while it does not answer."""
        try:
            status, body = self._call("GET", "/metrics", None, connection)
        except (OSError, http.client.HTTPException):
            return {}
        if status != 200:
            return {}
        rows = (row.split(" ") for row in body.decode().splitlines() if row.startswith("guantong_") and "{" not in row)
        return {row[0].removeprefix("guantong_"): float(row[1]) for row in rows}

    def run(self, *args, signer=None):
        """A command at this node, signed by the person of a role."""
        more = ["--node", f"http://{self.host}:{self.port}", "--token", self.token()]
        if signer:
            more += ["--key", str(self.key(signer))]
        return self.federation.command(*args, *more)


class Federation:
    """A tree of nodes in one folder."""

    def __init__(self, binary, folder):
        self.binary = pathlib.Path(binary).resolve()
        if not self.binary.exists():
            raise SystemExit(f"{self.binary} is not there: cargo build --release -p node")
        self.dir = pathlib.Path(folder)
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("GUANTONG")}
        self.environment["GUANTONG_PASSPHRASE"] = secrets.token_hex(16)
        self.environment["LC_ALL"] = "C.UTF-8"
        self.environment["LANG"] = "en_US.UTF-8"
        self.nodes = {}
        self.command("root", "init", "--out", str(self.dir / "root.key"), "--demonstration")

    def command(self, *args):
        done = subprocess.run([str(self.binary), *map(str, args), "--json"], env=self.environment,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"guantong {' '.join(map(str, args))}\n({done.returncode}) {done.stderr or done.stdout}")
        return json.loads(done.stdout) if done.stdout.strip() else None

    def add(self, code, name, level, parent=None, **where):
        """Makes a node, its keys and its people's keys; runs nothing."""
        node = Node(self, code, name, level, self.nodes.get(parent), **where)
        node.people.mkdir(parents=True, mode=0o700)
        for role in ("authority-head", *(role for role, _ in PEOPLE)):
            self.command("person", "new", "--out", str(node.key(role)), "--demonstration")
        args = ["init", "--data", str(node.data), "--code", code, "--name", name, "--level", level,
                "--authority-head", str(node.key("authority-head").with_suffix(".pub")), "--root", str(self.dir / "root.pub"),
                "--link-listen", node.link, "--http-listen", f"{node.host}:{node.port}"]
        if node.parent:
            args += ["--link-parent", node.parent.link]
        self.command(*args)
        self.command("enroll", "head", "--key", str(node.key("authority-head")), "--name", "主管负责人",
                     "--department", node.authority[0], "--at", code)
        self.nodes[code] = node
        return node

    def enrol(self, node):
        """Certifies a running node, and enrols its people."""
        chain, request = self.dir / f"{node.code}.chain.json", node.data / "enrolment-request.json"
        if node.parent is None:
            self.command("root", "sign", "--request", str(request), "--root-key", str(self.dir / "root.key"), "--out", str(chain))
        else:
            node.parent.run("enroll", "approve", "--request", str(request), "--out", str(chain), signer="authority-head")
        node.run("enroll", "install", "--chain", str(chain))
        wait(f"{node.code} is a member", lambda: (node.get("/node") or {}).get("place"))
        for role, of_department in PEOPLE:
            code, name = node.department if of_department else node.authority
            enroller = "department-head" if of_department and role != "department-head" else "authority-head"
            node.run("enroll", "person", "--public", str(node.key(role).with_suffix(".pub")), "--role", role, "--name", f"{node.name}{role}",
                     "--department", code, "--department-name", name, signer=enroller)

    def start_and_enrol(self):
        """Starts every node and enrols it, parents first, and waits for the links."""
        for node in self.nodes.values():
            node.start().ready()
            self.enrol(node)
        for node in self.nodes.values():
            wait(f"{node.code} is linked", lambda node=node: linked(node))

    def stop(self):
        for node in self.nodes.values():
            node.stop()


def linked(node):
    """Whether a node's parent is connected and greeted."""
    if node.parent is None:
        return True
    links = (node.get("/links") or {}).get("items", [])
    return any(link["code"] == node.parent.code and link["up"] for link in links)


def quoted(text):
    return urllib.parse.quote(text, safe="")


def arguments(description, entries=None):
    """The arguments every benchmark has."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=str(ROOT / "target/release/guantong"), help="the node's binary (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print the figures as one JSON value")
    parser.add_argument("--dir", help="work in this folder and leave it there (default: a temporary one)")
    if entries:
        parser.add_argument("--entries", type=int, default=entries, help="catalogue entries (default: %(default)s)")
    return parser


def needed(*commands):
    """Ends the run, saying so, when what Guantong is compared with is not there."""
    missing = [command for command in commands if shutil.which(command) is None]
    if missing:
        raise SystemExit(f"not installed: {', '.join(missing)}")


class Workplace:
    """The folder of a run, removed afterwards unless it was named."""

    def __init__(self, named):
        self.kept = named is not None
        self.path = pathlib.Path(named) if named else pathlib.Path(tempfile.mkdtemp(prefix="guantong-bench-"))

    def __enter__(self):
        # So that a run that is ended stops what it started.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        self.path.mkdir(parents=True, exist_ok=True)
        if any(self.path.iterdir()):
            raise SystemExit(f"{self.path} is not empty")
        return self.path

    def __exit__(self, *_):
        if not self.kept:
            shutil.rmtree(self.path, ignore_errors=True)


def say(text):
    print(text, file=sys.stderr, flush=True)


def fdatasync_latency(folder, count=200, size=4096):
    """Median and 99th percentile, in milliseconds, of appending `size` bytes to a file and fdatasync."""
    path, times = pathlib.Path(folder) / "fdatasync.probe", []
    with open(path, "wb", buffering=0) as probe:
        for _ in range(count):
            begun = time.perf_counter()
            probe.write(b"x" * size)
            os.fdatasync(probe.fileno())
            times.append((time.perf_counter() - begun) * 1000)
    path.unlink()
    times.sort()
    return {"median_ms": round(times[count // 2], 3), "p99_ms": round(times[count * 99 // 100], 3)}
