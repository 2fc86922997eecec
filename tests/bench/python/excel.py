"""The member list by openpyxl (write-only) and by ours, each a process of its own.

Prints CPU time and peak memory of both and the ratio.
"""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# Titles, columns of the export and widths, as the maintenance job writes them.
COLUMNS = [
    ("Name", "title", 28), ("Email", "email", 36), ("Job title", "jobTitle", 28), ("Department", "department", 22),
    ("Company", "company", 22), ("Office", "office", 18), ("City", "city", 18), ("Country", "country", 18),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bench", help="the program `bench`; without it this process writes by openpyxl")
    parser.add_argument("--dir", required=True, help="the folder of `bench export`")
    parser.add_argument("--rounds", type=int, default=2, help="times each runs; the least time counts")
    parser.add_argument("--out", help="the workbook openpyxl writes")
    options = parser.parse_args()
    if options.bench is None:
        print(json.dumps(write(Path(options.dir), options.out)))
        return
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = race(options, folder)
    print(f"{'':<14}{'CPU ms':>12}{'peak MB':>10}{'ratio':>10}")
    for name, run in (("ours", ours), ("openpyxl", theirs)):
        ratio = run["cpu_ms"] / ours["cpu_ms"]
        print(f"{name:<14}{run['cpu_ms']:>12.1f}{run['peak_memory_bytes'] / 1e6:>10.1f}{ratio:>10.1f}")
    print("peak memory counts what is held before writing:", end=" ")
    print(", ".join(f"{run['memory_before_bytes'] / 1e6:.0f} MB ({name})" for name, run in (("ours", ours), ("openpyxl", theirs))))


def race(options, folder):
    best = [None, None]
    commands = [
        [options.bench, "excel", "--dir", options.dir, "--out", f"{folder}/ours.xlsx"],
        [sys.executable, __file__, "--dir", options.dir, "--out", f"{folder}/openpyxl.xlsx"],
    ]
    for _ in range(options.rounds):
        for at, command in enumerate(commands):
            run = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            best[at] = run if best[at] is None or run["cpu_ms"] < best[at]["cpu_ms"] else best[at]
    return best


def write(folder, out):
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    with open(folder / "users.csv", newline="") as file:
        people = [tuple(row[name] for _, name, _ in COLUMNS) for row in csv.DictReader(file)]
    Path("/proc/self/clear_refs").write_text("5")
    before, begin = peak_memory(), time.process_time()
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet("Members")
    sheet.freeze_panes = "A2"
    for at, (_, _, width) in enumerate(COLUMNS, start=1):
        sheet.column_dimensions[get_column_letter(at)].width = width
    titles = []
    for title in [title for title, _, _ in COLUMNS] + ["Member because of", "Entra account"]:
        cell = WriteOnlyCell(sheet, value=title)
        cell.font = Font(bold=True)
        titles.append(cell)
    sheet.append(titles)
    for person in sorted(people):
        sheet.append([text or None for text in person] + ["Rules", "yes"])
    workbook.save(out)
    spent = (time.process_time() - begin) * 1_000
    return {"cpu_ms": spent, "memory_before_bytes": before, "peak_memory_bytes": peak_memory()}


def peak_memory():
    status = Path("/proc/self/status").read_text().splitlines()
    (line,) = [line for line in status if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1_024


if __name__ == "__main__":
    main()
