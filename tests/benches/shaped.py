"""A line of network namespaces, each pair joined by a link of 1 Gbit/s, as between offices; or simply loopback.

    benchN-0 ══1 Gbit/s══ benchN-1 ══1 Gbit/s══ benchN-2 ...

Each namespace also has an unshaped link to this one, over which it is asked. Needs root; everything is removed at the end.
"""

import json
import os
import subprocess
import time

from federation import free_port

RATE = "1gbit"


class Loopback:
    """All nodes on 127.0.0.1."""

    def __init__(self):
        self.ports = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def where(self, _number):
        return {}

    def wire(self, number):
        """Where node `number` takes the wires of the next."""
        port = self.ports.setdefault(number, free_port())
        return f"/ip4/127.0.0.1/tcp/{port}"


class Links:
    """Namespaces 0 to count-1 in a line."""

    def __init__(self, count):
        self.count, self.tag = count, f"gt{os.getpid() % 10_000}"

    def name(self, number):
        return f"{self.tag}-{number}"

    def __enter__(self):
        try:
            self._build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _build(self):
        for number in range(self.count):
            ip("netns", "add", self.name(number))
            self._in(number, "ip", "link", "set", "lo", "up")
            outer, inner = f"{self.tag}m{number}", "manage"
            ip("link", "add", outer, "type", "veth", "peer", "name", inner, "netns", self.name(number))
            ip("addr", "add", f"10.213.{number}.1/30", "dev", outer)
            ip("link", "set", outer, "up")
            self._in(number, "ip", "addr", "add", f"10.213.{number}.2/30", "dev", inner)
            self._in(number, "ip", "link", "set", inner, "up")
            self._in(number, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        for upper in range(self.count - 1):
            lower = upper + 1
            ip("link", "add", "below", "netns", self.name(upper), "type", "veth", "peer", "name", "above", "netns", self.name(lower))
            for number, device, last in ((upper, "below", 1), (lower, "above", 2)):
                self._in(number, "ip", "addr", "add", f"10.214.{upper}.{last}/30", "dev", device)
                self._in(number, "ip", "link", "set", device, "up")
                self._in(number, "tc", "qdisc", "add", "dev", device, "root", "tbf", "rate", RATE, "burst", "256kb", "latency", "20ms")
        # Routes along the line, for iperf3 over several hops; nodes speak with their neighbours alone.
        for number in range(self.count):
            for link in range(self.count - 1):
                if link not in (number - 1, number):
                    via = f"10.214.{number}.2" if link > number else f"10.214.{number - 1}.1"
                    self._in(number, "ip", "route", "add", f"10.214.{link}.0/30", "via", via)

    def __exit__(self, *_):
        for number in range(self.count):
            subprocess.run(["ip", "netns", "del", self.name(number)], capture_output=True)
            subprocess.run(["ip", "link", "del", f"{self.tag}m{number}"], capture_output=True)

    def _in(self, number, *command):
        subprocess.run(["ip", "netns", "exec", self.name(number), *command], check=True)

    def where(self, number):
        """Where node `number` runs: asked over its own link, reached by its child over the shaped one."""
        host = f"10.213.{number}.2"
        return {"inside": ("ip", "netns", "exec", self.name(number)), "host": host, "link_host": f"10.214.{min(number, self.count - 2)}.{1 if number < self.count - 1 else 2}"}

    def wire(self, number):
        """Where node `number` takes the wires of the next."""
        return f"/ip4/10.214.{number}.1/tcp/7101"

    def iperf3(self, hops):
        """What plain TCP carries from the first namespace over so many hops, MiB/s as received."""
        server = subprocess.Popen(["ip", "netns", "exec", self.name(hops), "iperf3", "-s", "-1"], stdout=subprocess.DEVNULL)
        try:
            command = ["ip", "netns", "exec", self.name(0), "iperf3", "-c", f"10.214.{hops - 1}.2", "-t", "10", "-J"]
            end = time.monotonic() + 20
            while True:
                done = subprocess.run(command, capture_output=True, text=True)
                # iperf3 says in JSON that the server is not there yet, and ends well.
                received = json.loads(done.stdout).get("end", {}).get("sum_received")
                if received:
                    return round(received["bits_per_second"] / 8 / (1 << 20), 1)
                if time.monotonic() > end:
                    break
                time.sleep(0.1)
            raise SystemExit(f"iperf3: {done.stdout[-500:]}")
        finally:
            server.kill()
            server.wait()


def ip(*words):
    subprocess.run(["ip", *words], check=True)
