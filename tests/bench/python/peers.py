"""Compares our engine with DuckDB, polars and SQLite: members, then CPU times and ratios.

The exit code is 1 if any member differs. Exceptions of profiles are applied to the
peers' results outside the timed part; our engine applies them inside.
"""

import argparse
import json
import subprocess
import sys
import time

from engines import DuckDb, Export, Polars, PolarsEach, Sqlite

# The required ratio of a peer's time to ours.
TARGETS = {"DuckDB": 180, "polars": 80, "polars (one select)": None, "SQLite": None}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bench", required=True, help="the program `bench`")
    parser.add_argument("--dir", required=True, help="the folder of `bench export`")
    parser.add_argument("--rounds", type=int, default=3, help="number of runs of each; the shortest time counts")
    options = parser.parse_args()

    export = Export(options.dir)
    peers = [kind(export) for kind in (DuckDb, PolarsEach, Polars, Sqlite)]
    found = [difference for peer in peers for difference in export.differences(peer.name, peer.run())]
    if found:
        sys.exit("\n".join(f"DIFFERENT {difference}" for difference in found))
    print("Members of all profiles are the same for all (count and SHA-256 of ids).\n")

    ours, best = race(peers, options)
    print(f"{'':<20}{'CPU ms':>12}{'ratio':>10}{'target':>10}")
    print(f"{'ours':<20}{ours['cpu_ms']:>12.2f}{'1.0':>10}")
    for peer in peers:
        ratio, target = best[peer.name] / ours["cpu_ms"], TARGETS[peer.name]
        verdict = "" if target is None else "ok" if ratio >= target else "not"
        print(f"{peer.name:<20}{best[peer.name]:>12.2f}{ratio:>10.1f}{target or '':>10}  {verdict}")
    print(
        f"\nours as a process of its own: {ours['peak_memory_bytes'] / 1e6:.0f} MB at most, "
        f"snapshot of {ours['snapshot_bytes'] / 1e6:.1f} MB decoded in {ours['decode_cpu_ms']:.1f} ms"
    )


def race(peers, options):
    """Runs our engine before each peer, so that both run under the same machine load."""
    ours, best = None, {}
    for _ in range(options.rounds):
        for peer in peers:
            again = evaluate(options)
            ours = again if ours is None or again["cpu_ms"] < ours["cpu_ms"] else ours
            begin = time.process_time()
            answer = peer.run()
            spent = (time.process_time() - begin) * 1_000
            del answer
            best[peer.name] = min(best.get(peer.name, spent), spent)
    return ours, best


def evaluate(options):
    command = [options.bench, "evaluate", "--dir", options.dir]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


if __name__ == "__main__":
    main()
