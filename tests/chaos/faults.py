#!/usr/bin/env python3
"""Everything but kills: the process stands still, networks, disks, descriptors, clocks and stores misbehave while
visitors talk; what clients saw, and how long until all was normal again. The oracle is that of the kills.

  faults.py BINARY [PART...] [--short] [--report FILE]

PARTs are pause, proxy, disk, descriptors, clock, restored; all without one. --short: one quick row of each.
BINARY is any build without sanitizers. Prints a table, then "N passed, M failed".
"""
import argparse
import os
import sys
import tempfile
import traceback

import clock
import descriptors
import disk
import pause
import proxy
import restored
from harness import Table, World


def in_a_world(run):
    """For parts that need nothing special of the server."""
    def with_world(binary, folder, table, short):
        world = World(binary, folder)
        try:
            run(world, table, short)
        finally:
            world.close()
    return with_world


PARTS = {"pause": in_a_world(pause.run), "proxy": proxy.run, "disk": disk.run,
         "descriptors": in_a_world(descriptors.run), "clock": clock.run, "restored": restored.run}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("parts", nargs="*", metavar="PART")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--report")
    args = parser.parse_args()
    if unknown := set(args.parts) - PARTS.keys():
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    binary = os.path.abspath(args.binary)
    table = Table("fault", "how often", "what clients saw", "normal again")
    for part in args.parts or PARTS:
        with tempfile.TemporaryDirectory(prefix=f"sidevoice-{part}-") as folder:
            try:
                PARTS[part](binary, folder, table, args.short)
            except Exception as why:  # noqa: BLE001: the other parts are worth having
                if os.environ.get("TRACE"):
                    traceback.print_exc()
                table.add([part, "-", f"the test itself broke: {type(why).__name__}", "-"], [f"{part}: {why}"])
    if args.report:
        table.write(args.report, "tests/chaos/faults.py sidevoice " + " ".join(args.parts or PARTS))
    return table.end()


if __name__ == "__main__":
    sys.exit(main())
