"""Compares our members with those of DuckDB for the first 200 profiles.

No time is measured. The exit code is 1 if any member differs.
"""

import argparse
import sys

from engines import DuckDb, Export


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dir", required=True, help="the folder of `bench export`")
    parser.add_argument("--profiles", type=int, default=200, help="number of profiles to compare")
    options = parser.parse_args()

    export = Export(options.dir, options.profiles)
    found = export.differences("DuckDB", DuckDb(export).run())
    if found:
        sys.exit("\n".join(f"DIFFERENT {difference}" for difference in found))
    members = sum(count for count, _ in export.expected)
    print(f"the same members as DuckDB: {len(export.profiles)} profiles, {members} members in all")


if __name__ == "__main__":
    main()
