"""Exact matches of a column's text whatever its collation, which may take "U", "u" and "u " for the same."""

from __future__ import annotations

from typing import Any

from django.db.models import CharField, F, Func, Q
from django.db.models.lookups import Exact


class Bytes(Func):
    """A column's text as its bytes in UTF-8, whatever its character set."""

    template = "%(expressions)s"

    def as_mysql(self, compiler: Any, connection: Any) -> Any:
        return self.as_sql(compiler, connection, template="CAST(CONVERT(%(expressions)s USING utf8mb4) AS BINARY)")


def exactly(name: str, value: str) -> Q:
    """Matches rows with exactly this text in a column. Uses the column's index."""
    return Q(Exact(Bytes(F(name), output_field=CharField()), value), **{name: value})
