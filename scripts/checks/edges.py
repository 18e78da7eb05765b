"""Holds the edges of the layout and the list of dependencies. Called by scripts/check in the project's folder, with `cargo metadata` as input."""

import json
import sys

# Normal dependencies inside the workspace, exactly.
EDGES = {
    "identity": set(),
    "statute": set(),
    "sharing": {"identity", "statute"},
    "federation": {"identity", "statute", "sharing"},
    "node": {"identity", "statute", "sharing", "federation"},
    "guantong-tests": {"identity", "statute", "sharing", "federation", "node"},
}
PURE = ("identity", "statute", "sharing", "federation")
# Crates that do I/O, wait, or make randomness: never below a pure crate, however deep.
IMPURE = {
    "async-std", "axum", "config", "fs2", "futures", "getrandom", "hyper", "indicatif", "memmap2", "mio", "rand", "reqwest", "ring",
    "sled", "smol", "socket2", "tantivy", "tempfile", "tokio", "tokio-util", "tracing-subscriber", "ureq",
}
IMPURE_PREFIXES = ("libp2p",)


def normal(dependency):
    return any(kind["kind"] is None for kind in dependency["dep_kinds"])


def impure(name):
    return name in IMPURE or name.startswith(IMPURE_PREFIXES)


def paths_to_impure(start, graph):
    """Shortest chains from a package to what it may not reach."""
    seen, line, found = {start}, [[start]], []
    while line:
        path = line.pop(0)
        for below in graph[path[-1]]:
            if below not in seen:
                seen.add(below)
                if impure(names[below]):
                    found.append(" -> ".join(names[id] for id in [*path, below]))
                else:
                    line.append([*path, below])
    return found


metadata = json.load(sys.stdin)
names = {package["id"]: package["name"] for package in metadata["packages"]}
members = {names[id]: id for id in metadata["workspace_members"]}
graph = {node["id"]: [d["pkg"] for d in node["deps"] if normal(d)] for node in metadata["resolve"]["nodes"]}
errors = []
for name in sorted(EDGES.keys() ^ members.keys()):
    errors.append(f"{name}: in the workspace but not in scripts/checks/edges.py, or the other way round")
for name in EDGES.keys() & members.keys():
    inside = {names[id] for id in graph[members[name]]} & members.keys()
    for extra in sorted(inside - EDGES[name]):
        errors.append(f"{name} may not depend on {extra}")
for name in PURE:
    if name in members:
        errors += [f"{name} reaches what only node/ may use: {path}" for path in paths_to_impure(members[name], graph)]
for package in metadata["packages"]:
    if package["name"] in PURE and any(target["kind"] == ["custom-build"] for target in package["targets"]):
        errors.append(f"{package['name']} has a build script: that is I/O")
with open("docs/dependencies.md", encoding="utf-8") as page:
    listed = {word.strip() for row in page if row.startswith("|") for word in row.split("|")[1].split(",")}
for package in metadata["packages"]:
    if package["name"] in EDGES:
        direct = {dependency["name"] for dependency in package["dependencies"]} - EDGES.keys()
        errors += [f"{name}, used by {package['name']}, is not in docs/dependencies.md" for name in sorted(direct - listed)]
if errors:
    sys.exit("\n".join(errors))
