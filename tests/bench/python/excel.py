"""Compares writing the member list with openpyxl (write-only) and with our code, in processes.

Both read the same `users.csv` row by row without storing the rows. The cells of both
workbooks are compared first. Prints CPU time and peak memory of the processes, and
the growth compared with the same process without rows.
"""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import time
from itertools import zip_longest
from pathlib import Path

# Titles, columns of the export and widths, equal to those of the maintenance job.
COLUMNS = [
    ("Name", "title", 28), ("Email", "email", 36), ("Job title", "jobTitle", 28), ("Department", "department", 22),
    ("Company", "company", 22), ("Office", "office", 18), ("City", "city", 18), ("Country", "country", 18),
]
FASTER, SMALLER = 8, 10


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bench", help="the program `bench`, in the folder of `member-list`; without it this process writes with openpyxl")
    parser.add_argument("--member-list", help="our program if in another folder, such as a statically linked one")
    parser.add_argument("--dir", help="the folder of `bench export`")
    parser.add_argument("--rounds", type=int, default=3, help="number of runs of each; the lowest value of each figure counts")
    parser.add_argument("--users", help="the `users.csv` openpyxl reads")
    parser.add_argument("--out", help="the workbook openpyxl writes")
    options = parser.parse_args()
    if options.bench is None:
        print(json.dumps(write(Path(options.users), options.out)))
        return
    users = Path(options.dir) / "users.csv"
    ours = options.member_list or Path(options.bench).with_name("member-list")
    with tempfile.TemporaryDirectory() as folder:
        files = [f"{folder}/ours.xlsx", f"{folder}/openpyxl.xlsx"]
        race(ours, users, files, 1)
        rows = compare(*files)
        full = race(ours, users, files, options.rounds)
        nobody = Path(folder) / "nobody.csv"
        with open(users) as file:
            nobody.write_text(file.readline())
        idle = race(ours, nobody, files, options.rounds)
    print(f"{rows} rows, the same cells in both")
    table(full, idle)


def table(full, idle):
    print(f"{'':<12}{'CPU ms':>10}{'peak MB':>10}{'no rows MB':>12}{'growth MB':>11}{'own MB':>9}")
    for name, run, still in zip(("ours", "openpyxl"), full, idle):
        peak, rest = run["peak_memory_bytes"] / 1e6, still["peak_memory_bytes"] / 1e6
        print(f"{name:<12}{run['cpu_ms']:>10.1f}{peak:>10.1f}{rest:>12.1f}{peak - rest:>11.1f}{run['own_bytes'] / 1e6:>9.1f}")
    for what, figure, wanted in (("faster", "cpu_ms", FASTER), ("less memory", "peak_memory_bytes", SMALLER)):
        ratio = full[1][figure] / full[0][figure]
        print(f"{ratio:.1f} times {what}, {wanted} wanted: {'ok' if ratio >= wanted else 'not'}")
    ratio = full[1]["own_bytes"] / full[0]["own_bytes"]
    print(f"own memory (without the mapped files of program and libraries): {ratio:.1f} times less")


def race(ours, users, files, rounds):
    best = [{}, {}]
    commands = [
        [ours, users, files[0]],
        [sys.executable, "-B", __file__, "--users", users, "--out", files[1]],
    ]
    for _ in range(rounds):
        for run, command in zip(best, commands):
            for figure, value in measure(command).items():
                run[figure] = min(value, run.get(figure, value))
    return best


def measure(command):
    """Returns the process's own report, and the peak of its anonymous memory."""
    process, own = subprocess.Popen(command, stdout=subprocess.PIPE, text=True), 0
    while process.poll() is None:
        own = max(own, memory(process.pid, "RssAnon"))
        time.sleep(0.005)
    if process.returncode != 0:
        sys.exit(f"{command[0]} ended with {process.returncode}")
    return json.loads(process.stdout.read()) | {"own_bytes": own}


def compare(ours, theirs):
    """Exits if a cell differs; otherwise returns the number of rows without the header."""
    from openpyxl import load_workbook

    books = [load_workbook(path, read_only=True) for path in (ours, theirs)]
    sheets = [book["Members"].iter_rows(values_only=True) for book in books]
    at = 0
    for at, (one, other) in enumerate(zip_longest(*sheets), start=1):
        if one != other:
            sys.exit(f"row {at} differs: {one} is ours, {other} is openpyxl's")
    return at - 1


def write(users, out):
    # openpyxl loads numpy if it is installed (polars requires it). It is not needed to write
    # a list, and would increase the memory of openpyxl by half.
    sys.modules["numpy"] = None
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    begin = time.process_time()
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
    with open(users, newline="") as file:
        rows = csv.reader(file)
        header = next(rows)
        places = [header.index(name) for _, name, _ in COLUMNS]
        for row in rows:
            sheet.append([row[place] or None for place in places] + ["Rules", "yes"])
    workbook.save(out)
    spent = (time.process_time() - begin) * 1_000
    return {"cpu_ms": spent, "peak_memory_bytes": memory("self", "VmHWM")}


def memory(process, kind):
    """Returns a value of a process's status in bytes; 0 if missing, as at its exit."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    found = [line for line in lines if line.startswith(f"{kind}:")]
    return int(found[0].split()[1]) * 1_024 if found else 0


if __name__ == "__main__":
    main()
