"""Count what a test run's report (JUnit XML) says about some files or folders.

    python tests/acceptance/passed.py REPORT.xml tests/physics [...]

Exit code 1 when there is none, or one failed or was skipped.
"""

from __future__ import annotations

import sys
from xml.etree import ElementTree


def main(report: str, places: list[str]) -> int:
    """Print how many tests below the places passed, and how many did not."""
    wanted = tuple(place.removesuffix(".py").replace("/", ".") for place in places)
    every = ElementTree.parse(report).iter("testcase")
    found = [case for case in every if case.get("classname", "").startswith(wanted)]
    bad = [case for case in found if len(case)]  # a failure, an error or a skip is a child
    print(f"{len(found) - len(bad)} passed, {len(bad)} not, in {' '.join(places)}")
    for case in bad:
        print(f"  {case.get('classname')}.{case.get('name')}: {case[0].tag}")
    return int(bool(bad) or not found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
