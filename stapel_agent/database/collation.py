"""Exact matches of a column's text. Its collation may treat "U", "u" and "u " as equal."""

from __future__ import annotations

from typing import Any

from django.db.models import CharField, F, Func, Q
from django.db.models.lookups import Exact


class Bytes(Func):
    """A column's text as UTF-8 bytes, whatever its character set."""

    template = "%(expressions)s"

    def as_mysql(self, compiler: Any, connection: Any) -> Any:
        return self.as_sql(compiler, connection, template="CAST(CONVERT(%(expressions)s USING utf8mb4) AS BINARY)")


def exactly(name: str, value: str) -> Q:
    """Match rows whose column holds exactly this text. Uses the column's index."""
    return Q(Exact(Bytes(F(name), output_field=CharField()), value), **{name: value})
