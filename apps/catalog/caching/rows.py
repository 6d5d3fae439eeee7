"""Products for sale by their ids, as ``selectors.products_for_sale`` reads them.

Django composes that statement anew for each read, which takes more time than PostgreSQL needs to
answer it. Here it is composed once, by Django, and prepared by the database.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db.models.query import get_related_populators
from django.db.models.sql.compiler import SQLCompiler

from apps.catalog import selectors
from apps.catalog.enums import DATABASE
from apps.catalog.models import Product
from apps.common.databases import fetch_all


def for_sale(ids: Sequence[str]) -> list[Product]:
    """Those of these products (public ids, 36 characters) that are for sale, in no order."""
    statement = _statement()
    values = [*statement.params, list(ids)]
    return statement.products(fetch_all(DATABASE, statement.sql, values, prepared=True))


@dataclass(frozen=True, slots=True)
class _Statement:
    """The text, and how Django makes objects of its rows (as its ``ModelIterable`` does)."""

    compiler: SQLCompiler
    sql: str
    params: Sequence[Any]
    first: int  # of the product's columns
    last: int
    names: Sequence[str]
    related: Sequence[Any]

    def products(self, rows: Sequence[tuple]) -> list[Product]:
        made = []
        for row in self.compiler.results_iter([rows]):
            one = Product.from_db(DATABASE, self.names, row[self.first : self.last])
            for other in self.related:
                other.populate(row, one)
            for name, column in self.compiler.annotation_col_map.items():
                setattr(one, name, row[column])
            made.append(one)
        return made


@cache
def _statement() -> _Statement:
    compiler = selectors.products_for_sale().order_by().query.get_compiler(using=DATABASE)
    sql, params = compiler.as_sql()
    select, info = compiler.select, compiler.klass_info
    first, last = info["select_fields"][0], info["select_fields"][-1] + 1
    return _Statement(
        compiler,
        f'{sql} AND "{Product._meta.db_table}"."public_id" = ANY(%s::uuid[])',
        params,
        first,
        last,
        [column[0].target.attname for column in select[first:last]],
        get_related_populators(info, select, DATABASE),
    )
