"""The peers DuckDB, polars and SQLite on an exported workload.

Each is prepared outside the timed part (tables, indexes, query texts) and
returns the indexes of the users that match each profile's filter.
"""

import os

os.environ["POLARS_MAX_THREADS"] = "1"

import csv
import hashlib
import json
import sqlite3
from pathlib import Path

import duckdb
import numpy as np
import polars as pl

import rules

TEXTS = ["city", "company", "department", "country", "office", "jobTitle", "email", "title", "employeeType"]


class Export:
    """The files of `bench export`."""

    def __init__(self, folder, most=None):
        self.folder = Path(folder)
        document = json.loads((self.folder / "profiles.json").read_text())
        self.now = document["now"]
        self.profiles = document["profiles"][:most]
        self.trees = [profile["tree"] for profile in self.profiles]
        with open(self.folder / "expected.csv", newline="") as file:
            self.expected = [(int(row["members"]), row["sha256"]) for row in csv.DictReader(file)][:most]
        with open(self.folder / "users.csv", newline="") as file:
            ids = b"".join(bytes.fromhex(row["id"]) for row in csv.DictReader(file))
        self.ids = np.frombuffer(ids, dtype=np.uint8).reshape(-1, 16)

    def differences(self, name, matching):
        """Applies the exceptions with plain sets and returns the differences from ours as sentences."""
        members, found = [], []
        for number, (profile, places) in enumerate(zip(self.profiles, matching)):
            places = np.sort(np.asarray(places, dtype=np.int64))
            include = named(profile["include"], profile["include_profiles"], members)
            exclude = named(profile["exclude"], profile["exclude_profiles"], members)
            if len(include):
                places = np.union1d(places, include)
            if len(exclude):
                places = np.setdiff1d(places, exclude)
            members.append(places)
            digest = hashlib.sha256(self.ids[places].tobytes()).hexdigest()[:16]
            if (len(places), digest) != self.expected[number]:
                found.append(
                    f"{name}: profile {number + 1}: {len(places)} members ({digest}), ours has "
                    f"{self.expected[number][0]} ({self.expected[number][1]})"
                )
        return found


def named(places, profiles, members):
    lists = [np.asarray(places, dtype=np.int64)] + [members[profile] for profile in profiles]
    return np.unique(np.concatenate(lists))


class DuckDb:
    """One thread, ENUM columns, one query per profile."""

    name = "DuckDB"

    def __init__(self, export):
        self.connection = duckdb.connect()
        self.connection.execute("SET threads = 1")
        users, enrolments = (sql_path(export.folder / f"{name}.csv") for name in ("users", "enrolments"))
        self.connection.execute(
            f"CREATE TABLE raw AS SELECT * FROM read_csv({users}, header = true, all_varchar = true)"
        )
        columns = ["place::INTEGER AS place"]
        for name in TEXTS:
            self.connection.execute(
                f"CREATE TYPE {name}_enum AS ENUM (SELECT DISTINCT {name} FROM raw WHERE {name} IS NOT NULL ORDER BY 1)"
            )
            columns.append(f"{name}::{name}_enum AS {name}")
        columns += ["hireDate::BIGINT AS hireDate", "costCentre::DOUBLE AS costCentre", "remote::BOOLEAN AS remote"]
        columns += [f"{name}Given::BOOLEAN AS {name}Given" for name in sorted(rules.GIVEN)]
        self.connection.execute(f"CREATE TABLE users AS SELECT {', '.join(columns)} FROM raw ORDER BY place")
        self.connection.execute("DROP TABLE raw")
        self.connection.execute("CREATE TYPE progress_enum AS ENUM ('completed', 'inProgress', 'notStarted')")
        self.connection.execute(
            "CREATE TABLE enrolments AS SELECT course::SMALLINT AS course, place::INTEGER AS place, "
            "progress::progress_enum AS progress, completedAt::BIGINT AS completedAt, dueAt::BIGINT AS dueAt "
            f"FROM read_csv({enrolments}, header = true) ORDER BY course, place"
        )
        self.queries = queries(export)

    def run(self):
        return [self.connection.execute(query).fetchnumpy()["place"] if query else [] for query in self.queries]


class Sqlite:
    """In memory, indexes on the columns compared by rules, one query per profile."""

    name = "SQLite"

    def __init__(self, export):
        self.connection = sqlite3.connect(":memory:")
        given = sorted(rules.GIVEN)
        with open(export.folder / "users.csv", newline="") as file:
            rows = [
                [int(row["place"])]
                + [row[name] or None for name in TEXTS]
                + [number(row["hireDate"], int), number(row["costCentre"], float), truth(row["remote"])]
                + [truth(row[f"{name}Given"]) for name in given]
                for row in csv.DictReader(file)
            ]
        columns = TEXTS + ["hireDate", "costCentre", "remote"] + [f"{name}Given" for name in given]
        self.connection.execute(f"CREATE TABLE users (place INTEGER PRIMARY KEY, {', '.join(columns)})")
        marks = ", ".join("?" * (len(columns) + 1))
        self.connection.executemany(f"INSERT INTO users VALUES ({marks})", rows)
        with open(export.folder / "enrolments.csv", newline="") as file:
            rows = [
                (int(row["course"]), int(row["place"]), row["progress"], number(row["completedAt"], int), number(row["dueAt"], int))
                for row in csv.DictReader(file)
            ]
        self.connection.execute("CREATE TABLE enrolments (course INTEGER, place INTEGER, progress, completedAt, dueAt)")
        self.connection.executemany("INSERT INTO enrolments VALUES (?, ?, ?, ?, ?)", rows)
        for name in TEXTS + ["hireDate", "costCentre"]:
            self.connection.execute(f"CREATE INDEX users_{name} ON users ({name})")
        self.connection.execute("CREATE INDEX enrolments_course ON enrolments (course, place, progress, completedAt, dueAt)")
        self.connection.execute("ANALYZE")
        # Allows LIKE 'x%' to use an index; texts are already folded.
        self.connection.execute("PRAGMA case_sensitive_like = ON")
        self.queries = queries(export)

    def run(self):
        execute = self.connection.execute
        return [[row[0] for row in execute(query)] if query else [] for query in self.queries]


class Polars:
    """One thread, Categorical columns, all profiles in one select, common parts shared."""

    name = "polars (one select)"

    def __init__(self, export):
        types = {name: pl.Categorical for name in TEXTS}
        types |= {"hireDate": pl.Int64, "costCentre": pl.Float64, "remote": pl.Boolean}
        types |= {f"{name}Given": pl.Boolean for name in rules.GIVEN}
        self.users = pl.read_csv(export.folder / "users.csv", schema_overrides=types).rechunk()
        frame = pl.read_csv(export.folder / "enrolments.csv")
        self.enrolments = {}
        for (course,), part in frame.group_by("course"):
            moments = [part[name].cast(pl.Int64).fill_null(rules.MISSING).to_numpy() for name in ("completedAt", "dueAt")]
            progress = part["progress"].replace_strict(rules.PROGRESS, return_dtype=pl.Int8).to_numpy()
            self.enrolments[course] = (part["place"].to_numpy(), progress, *moments)
        self.now = export.now
        maker = rules.Polars()
        self.expressions = [tree and maker.expression(tree).alias(str(number)) for number, tree in enumerate(export.trees)]
        self.courses = maker.courses

    def frame(self):
        masks = [
            pl.Series(name, rules.course_mask(self.enrolments.get(course), how, self.now, len(self.users)))
            for name, (course, how) in self.courses.items()
        ]
        return self.users.with_columns(masks)

    def run(self):
        wanted = [expression for expression in self.expressions if expression is not None]
        answer = self.frame().lazy().select(wanted).collect()
        return [
            answer[str(number)].arg_true().to_numpy() if expression is not None else []
            for number, expression in enumerate(self.expressions)
        ]


class PolarsEach(Polars):
    """One thread, Categorical columns, one query per profile, as for DuckDB and SQLite."""

    name = "polars"

    def run(self):
        frame = self.frame()
        answers = []
        for expression in self.expressions:
            found = [] if expression is None else frame.lazy().select(expression).collect().to_series().arg_true().to_numpy()
            answers.append(found)
        return answers


def queries(export):
    trees = export.trees
    return [tree and f"SELECT place FROM users WHERE {rules.where(tree, export.now)}" for tree in trees]


def sql_path(path):
    return rules.quoted(str(path))


def number(text, kind):
    return kind(text) if text else None


def truth(text):
    return {"true": 1, "false": 0}.get(text)
