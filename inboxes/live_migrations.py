"""Add columns, foreign keys, indexes and tables beside those in which everybody goes on writing.

Each step is a transaction of its own, so that no step holds one table while it waits for the next.
It gives up before PostgreSQL looks for deadlocks, so that nobody's work is ever broken off for it,
and is tried again. A migration that stopped half-way can be run again. Migrations with these
operations have `atomic = False`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, cast

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models, transaction
from django.db.utils import OperationalError

# Less than deadlock_timeout, which is a second.
LOCK_TIMEOUT = "400ms"
TRIES = 50
PAUSE = 0.5  # seconds, in which those who waited behind a step go on


class AddLiveField(migrations.AddField):
    """Add a column, then its foreign key, if it has one.

    `first` names a table that is locked before the column's own for the foreign key: the one in
    which the application writes first.
    """

    def __init__(self, model_name: str, name: str, field: Any, first: str = "") -> None:
        super().__init__(model_name, name, field)
        self.first = first

    def deconstruct(self) -> Any:
        path, args, kwargs = super().deconstruct()
        return path, args, {**kwargs, **({"first": self.first} if self.first else {})}

    def database_forwards(
        self, app_label: str, editor: Any, from_state: Any, to_state: Any
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(editor.connection.alias, model):
            return
        field: Any = model._meta.get_field(self.name)
        if not _has_column(editor, model, field.column):
            _try_step(editor, lambda: _add_column(editor, model, field))
        if field.remote_field is not None and field.db_constraint:
            self._add_foreign_key(editor, model, field)

    def _add_foreign_key(self, editor: Any, model: type[models.Model], field: Any) -> None:
        table = model._meta.db_table
        statement = editor._create_fk_sql(model, field, "_fk_%(to_table)s_%(to_column)s")
        constraint = str(statement.parts["name"])
        if not _has_constraint(editor, table, constraint.strip('"')):
            lock = f"LOCK TABLE {self.first} IN SHARE ROW EXCLUSIVE MODE" if self.first else ""
            steps = [*filter(None, [lock]), f"{statement} NOT VALID"]
            _try_step(editor, lambda: [editor.execute(step) for step in steps])
        validate = f"ALTER TABLE {table} VALIDATE CONSTRAINT {constraint}"
        _try_step(editor, lambda: editor.execute(validate))


class CreateLiveModel(migrations.CreateModel):
    """Create a table with its indexes, checks and foreign keys, all or nothing.

    The tables that it refers to are locked for a moment.
    """

    def database_forwards(
        self, app_label: str, editor: Any, from_state: Any, to_state: Any
    ) -> None:
        forwards = super().database_forwards
        model = to_state.apps.get_model(app_label, self.name)
        if editor.collect_sql:
            forwards(app_label, editor, from_state, to_state)
        elif not _has_table(editor, model._meta.db_table):
            _try_step(editor, lambda: _create_table(editor, forwards, app_label, to_state))


class AddLiveIndex(AddIndexConcurrently):
    """Build an index; what is left of one that was not finished goes before that."""

    def database_forwards(
        self, app_label: str, editor: Any, from_state: Any, to_state: Any
    ) -> None:
        is_valid = None if editor.collect_sql else _is_valid_index(editor, self.index.name)
        if is_valid:
            return
        if is_valid is not None:
            name = editor.quote_name(self.index.name)
            editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        super().database_forwards(app_label, editor, from_state, to_state)


class RunLiveSQL(migrations.RunSQL):
    """Run one statement that locks a table for a moment, and waits for the lock as above."""

    def database_forwards(
        self, app_label: str, editor: Any, from_state: Any, to_state: Any
    ) -> None:
        forwards = super().database_forwards
        _try_step(editor, lambda: forwards(app_label, editor, from_state, to_state))


def add_check(table: str, name: str, condition: str, old: str = "") -> list[migrations.RunSQL]:
    """Return operations that add a check, and look at the old rows while others write.

    `old` is the condition of the check of that name which it replaces, if there is one.
    """
    drop = f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}"
    return [
        RunLiveSQL(
            f"{drop}, ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID",
            f"{drop}, ADD CONSTRAINT {name} CHECK ({old}) NOT VALID" if old else drop,
        ),
        RunLiveSQL(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}", migrations.RunSQL.noop),
    ]


def _add_column(editor: Any, model: type[models.Model], field: Any) -> None:
    has_constraint = getattr(field, "db_constraint", None)
    if has_constraint is None:
        editor.add_field(model, field)
        return
    field.db_constraint = False
    try:
        editor.add_field(model, field)
    finally:
        field.db_constraint = has_constraint


def _create_table(editor: Any, forwards: Any, app_label: str, to_state: Any) -> None:
    """Create the table by an editor of its own: a migration's own adds foreign keys at its end.

    The transaction is that of the step. The editor's own would stay open if a key has to wait.
    """
    with editor.connection.schema_editor(atomic=False) as own:
        forwards(app_label, own, to_state, to_state)


def _try_step(editor: Any, step: Callable[[], Any]) -> None:
    """Run the step in a transaction that waits for no lock for long, some times if need be."""
    if editor.collect_sql:
        step()
        return
    for tries_left in reversed(range(TRIES)):
        try:
            with transaction.atomic(editor.connection.alias):
                editor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
                step()
                return
        except OperationalError as error:
            is_busy = getattr(error.__cause__, "sqlstate", "") == "55P03"  # lock_not_available
            if not (is_busy and tries_left):
                raise
        time.sleep(PAUSE)


def _has_column(editor: Any, model: type[models.Model], column: str) -> bool:
    with editor.connection.cursor() as cursor:
        found = editor.connection.introspection.get_table_description(cursor, model._meta.db_table)
    return column in {one.name for one in found}


def _has_constraint(editor: Any, table: str, name: str) -> bool:
    with editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_constraint WHERE conrelid = %s::regclass AND conname = %s",
            [table, name],
        )
        return cursor.fetchone() is not None


def _has_table(editor: Any, table: str) -> bool:
    found = "SELECT 1 WHERE to_regclass(%s) IS NOT NULL"
    return _fetch_value(editor, found, editor.quote_name(table)) is not None


def _is_valid_index(editor: Any, name: str) -> bool | None:
    """Return None if there is no such index."""
    found = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)"
    return cast(bool | None, _fetch_value(editor, found, editor.quote_name(name)))


def _fetch_value(editor: Any, statement: str, name: str) -> object:
    with editor.connection.cursor() as cursor:
        cursor.execute(statement, [name])
        row = cursor.fetchone()
    return row[0] if row else None
