"""Checks the Markdown files given: links lead to files of the project, and tests named in the pages of claims exist. Called by scripts/check."""

import pathlib
import re
import sys

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
# A test is named by behaviour: at least three words in snake case, in backquotes.
TEST = re.compile(r"`([a-z0-9]+(?:_[a-z0-9]+){2,})`")
# The pages that name the test of each of their claims.
CLAIMS = ["docs/architecture.md", "docs/security.md"]
broken = []
for name in sys.argv[1:]:
    page = pathlib.Path(name)
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        for target in LINK.findall(line):
            if "://" in target or target.startswith(("#", "mailto:")):
                continue
            if not (page.parent / target.split("#")[0]).exists():
                broken.append(f"{name}:{number}: no file {target}")

source = "".join(
    path.read_text(encoding="utf-8") for top in ("crates", "node/src", "node/tests", "tests") for path in sorted(pathlib.Path(top).rglob("*.rs"))
)
# A test is a function under #[test] or #[tokio::test(…)], with other attributes and comments between them.
FUNCTION = re.compile(
    r"#\[(?:tokio::)?test(?:\([^\]]*\))?\]\s*(?:#\[[^\]]*\]\s*|//[^\n]*\n\s*)*(?:pub(?:\([a-z]+\))?\s+)?(?:async\s+)?fn ([a-z0-9_]+)\("
)
tests = set(FUNCTION.findall(source))
for page in CLAIMS:
    for name in TEST.findall(pathlib.Path(page).read_text(encoding="utf-8")):
        if name not in tests:
            broken.append(f"{page}: no test {name}")
if broken:
    print("\n".join(broken))
    sys.exit(1)
