"""Converts the rule trees of the export into SQL conditions and polars expressions.

A missing value makes a predicate NULL in both. That is equivalent to false except
below a negation, where it is explicitly converted to false: negative rules are
exact complements.
"""

import numpy as np
import polars as pl


def where(tree, now, negated=False):
    """Returns the condition of one profile, valid for DuckDB and SQLite."""
    ((kind, content),) = tree.items()
    if kind == "all":
        return "(" + " AND ".join(where(part, now, negated) for part in content) + ")"
    if kind == "any":
        return "(" + " OR ".join(where(part, now, negated) for part in content) + ")"
    if kind == "not":
        return "NOT " + where(content, now, True)
    test = f"({sql_test(content, now)})"
    return f"coalesce({test}, FALSE)" if negated else test


def sql_test(test, now):
    ((kind, content),) = test.items()
    if kind == "missing":
        return f"NOT {content}Given" if content in GIVEN else f"{content} IS NULL"
    if kind == "course":
        return sql_course(*content, now)
    if kind == "text":
        return sql_text(*content)
    if kind == "truth":
        field, truth = content
        return f"{field} = {str(truth).upper()}"
    field, low, high = content
    upper = "<=" if kind == "number" else "<"
    bounds = [(">=", low), (upper, high)]
    return " AND ".join(f"{field} {sign} {bound}" for sign, bound in bounds if bound is not None)


def sql_text(field, test):
    ((kind, operand),) = test.items()
    if kind == "equal":
        return f"{field} = {quoted(operand)}"
    if kind == "in":
        return f"{field} IN ({', '.join(map(quoted, operand))})"
    # No operand of the workload contains a wildcard, which would require ESCAPE.
    assert not set(operand) & set("%_\\"), operand
    patterns = {"containing": f"%{operand}%", "beginning": f"{operand}%", "ending": f"%{operand}"}
    return f"{field} LIKE {quoted(patterns[kind])}"


def sql_course(course, test, now):
    enrolled = f"SELECT place FROM enrolments WHERE course = {course}"
    if test == "enrolled":
        return f"place IN ({enrolled})"
    if test == "completed":
        return f"place IN ({enrolled} AND progress = 'completed')"
    if test == "in_progress":
        return f"place IN ({enrolled} AND progress = 'inProgress')"
    if test == "overdue":
        late = f"CASE progress WHEN 'completed' THEN completedAt > dueAt ELSE dueAt < {now} END"
        return f"place IN ({enrolled} AND {late})"
    low, high = test["completed_within"]
    last = "max(completedAt)"
    having = f"GROUP BY place HAVING {last} >= {low} AND {last} < {high}"
    return f"place IN ({enrolled} AND progress = 'completed' {having})"


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


GIVEN = {"hireDate", "costCentre", "remote"}


class Polars:
    """Builds expressions; collects the masks of course predicates they use."""

    def __init__(self):
        self.courses = {}

    def expression(self, tree, negated=False):
        ((kind, content),) = tree.items()
        if kind == "all":
            return pl.all_horizontal(*(self.expression(part, negated) for part in content))
        if kind == "any":
            return pl.any_horizontal(*(self.expression(part, negated) for part in content))
        if kind == "not":
            return ~self.expression(content, True)
        test = self.test(content)
        return test.fill_null(False) if negated else test

    def test(self, test):
        ((kind, content),) = test.items()
        if kind == "missing":
            return ~pl.col(f"{content}Given") if content in GIVEN else pl.col(content).is_null()
        if kind == "course":
            course, how = content
            name = f"{course} {how}"
            self.courses[name] = (course, how)
            return pl.col(name)
        if kind == "text":
            return polars_text(*content)
        if kind == "truth":
            field, truth = content
            return pl.col(field) == truth
        field, low, high = content
        column = pl.col(field)
        parts = [column >= low] if low is not None else []
        if high is not None:
            parts.append(column <= high if kind == "number" else column < high)
        return pl.all_horizontal(*parts)


def polars_text(field, test):
    ((kind, operand),) = test.items()
    column = pl.col(field)
    if kind == "equal":
        return column == operand
    if kind == "in":
        return column.is_in(operand)
    if kind == "beginning":
        return column.cat.starts_with(operand)
    if kind == "ending":
        return column.cat.ends_with(operand)
    return column.cast(pl.String).str.contains(operand, literal=True)


def course_mask(rows, test, now, people):
    """Returns a boolean per user from the enrolments of one course (numpy columns)."""
    mask = np.zeros(people, dtype=bool)
    if rows is None:
        return mask
    place, progress, completed_at, due_at = rows
    done = progress == COMPLETED
    if test == "enrolled":
        mask[place] = True
    elif test == "completed":
        mask[place[done]] = True
    elif test == "in_progress":
        mask[place[progress == IN_PROGRESS]] = True
    elif test == "overdue":
        # A missing time is the smallest number; without a due date nothing is overdue.
        late = np.where(done, completed_at > due_at, due_at < now) & (due_at != MISSING)
        mask[place[late]] = True
    else:
        low, high = test["completed_within"]
        last = np.full(people, MISSING)
        np.maximum.at(last, place[done], completed_at[done])
        mask = (last >= low) & (last < high)
    return mask


COMPLETED, IN_PROGRESS, NOT_STARTED = 0, 1, 2
PROGRESS = {"completed": COMPLETED, "inProgress": IN_PROGRESS, "notStarted": NOT_STARTED}
MISSING = np.iinfo(np.int64).min
