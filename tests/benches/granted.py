"""A line of four nodes, and what one of them has granted another: what the benchmarks of the data plane begin with."""

import json
import pathlib
import time

from federation import linked, quoted, wait

LINE = (("100000", "国家政务大数据平台", "hub"), ("440000", "广东省", "province"), ("440100", "广州市", "prefecture"), ("440106", "天河区", "county"))
# Of a grant without listed uses the purpose is the scenario that was asked for.
PURPOSE = "社会救助家庭经济状况核对"
MATERIALS = ("basis=《社会救助暂行办法》第五十八条", f"scenario={PURPOSE}", "scope=本区社会救助核对岗位，已受理业务的当事人")


def restart_with_wires(line, links):
    """The same nodes again, configured for wires between all of them."""
    for node in line:
        node.stop()
    for number, node in enumerate(line):
        if number + 1 < len(line):
            node.settings["link.wire_listen"] = links.wire(number)
        if number:
            node.settings["link.wire_parent"] = links.wire(number - 1)
        node.start().ready()
    for node in line:
        wait(f"{node.code} is linked", lambda node=node: linked(node))


class Grants:
    """Applications of one node that another has granted without a condition, each good for one file or one service."""

    def __init__(self, federation, folder, ends, count, method):
        self.federation, self.folder, self.method = federation, pathlib.Path(folder), method
        self.requester, self.provider = requester, provider = ends
        entries = self.folder / f"{requester.code}.jsonl"
        federation.command("bench", "generate", "--entries", 8 * count + 40, "--out", entries, "--department", provider.department[0],
                           "--provider-name", provider.department[1], "--prefix", f"{provider.code}/{requester.code}{int(time.time())}")
        self.entries = [entry for entry in map(json.loads, entries.read_text().splitlines()) if self._suits(entry)][:count]
        entries.write_text("".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in self.entries))
        provider.run("bench", "add", str(entries), "--operator", str(provider.key("operator")), "--head", str(provider.key("department-head")),
                     "--reviewer", str(provider.key("authority-reviewer")))
        self.dockets = [self._granted(entry) for entry in self.entries]

    def _suits(self, entry):
        return "unconditional" in entry["terms"] and self.method in entry["methods"]

    def _granted(self, entry):
        place = self.provider.get("/node")["place"]
        materials = [word for material in MATERIALS for word in ("--material", material)]
        draft = self.requester.run("apply", "draft", "--publisher", self.provider.code, "--entry", entry["id"],
                                   "--provider", place if isinstance(place, str) else "/".join(place), "--entry-version", 1,
                                   "--until", "2027-12-31", "--item", entry["items"][0]["name"], "--method", self.method, *materials, signer="operator")
        docket = draft["docket"]
        self.requester.run("apply", "consent", "--docket", docket, signer="sharing-office-head")
        wait(f"{docket} at {self.provider.code}", lambda: self.provider.get(f"/dockets/{quoted(docket)}"))
        self.provider.run("reply", "propose", "--docket", docket, "--grant", "--until", "2027-06-30", signer="operator")
        self.provider.run("reply", "consent", "--docket", docket, signer="sharing-office-head")
        return docket

    def signed(self, path):
        """The act that provides a file, uploaded and signed, ready to be sent."""
        docket, document, out = self.dockets.pop(), self.folder / "provide.json", self.folder / "provide.signed.json"
        for left in (document, out):
            left.unlink(missing_ok=True)
        self.provider.run("reply", "provide", "--docket", docket, "--file", str(path), "--prepare", str(document))
        self.provider.run("sign", "--document", str(document), "--yes", "--out", str(out), signer="operator")
        return json.loads(out.read_text())
