#!/usr/bin/env python3
"""Prints what CTest's JUnit file says: a line per test, then `N passed, M failed`.

Exits 1 when a test failed, was not run, or when there is no result at all."""
import argparse
import os
import re
import sys
import xml.etree.ElementTree as xml


# How the runners in use say how many cases they ran: doctest, unittest, node --test, pytest and the lab.
CASES = (r"test cases:\s*(\d+) \|", r"^Ran (\d+) tests?", r"^\S* ?tests (\d+)$", r"\b(\d+) passed\b")


def cases_within(output):
    """How many cases a test reports itself; None where it does not say."""
    for pattern in CASES:
        found = re.findall(pattern, output, re.MULTILINE)
        if found:
            return int(found[-1])
    return None


def read(path):
    """[(name, passed, seconds, cases)] of a JUnit file."""
    rows = []
    for case in xml.parse(path).getroot().iter("testcase"):
        passed = case.get("status") == "run" and case.find("failure") is None
        output = case.findtext("system-out") or ""
        rows.append((case.get("name"), passed, float(case.get("time") or 0), cases_within(output)))
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("junit")
    parser.add_argument("--build-s", type=int, default=0)
    parser.add_argument("--wall-s", type=int, default=0)
    options = parser.parse_args()
    try:
        rows = read(options.junit)
    except (OSError, xml.ParseError) as fault:
        print(f"no test results: {fault}")
        rows = []
    print()
    for name, passed, seconds, cases in sorted(rows):
        inside = f"{cases:6d} cases" if cases is not None else ""
        print(f"{'passed' if passed else 'FAILED':7} {name:24} {seconds:7.1f} s {inside}".rstrip())
    share = 100 * options.build_s // max(1, options.wall_s)
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"wall {options.wall_s} s, of it build {options.build_s} s ({share} %); load {load}")
    passed = sum(1 for row in rows if row[1])
    print(f"{passed} passed, {len(rows) - passed} failed")
    return 0 if rows and passed == len(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
