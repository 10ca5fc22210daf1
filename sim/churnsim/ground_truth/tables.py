"""The tables of generated data: columns, types and units, in one place for files, dictionary and documentation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from churnsim.causes import CAUSE_NAMES, ENABLERS

TRUTH = "truth"
"""Folder of what the firm never sees."""

CATEGORY = pa.dictionary(pa.int8(), pa.string())
SHARE, MONEY, TICK = "share", "currency", "tick"


@dataclass(frozen=True)
class Column:
    """One column: its name, Arrow type and unit; what it means is the text ``ground_truth.column.<table>.<name>``.

    Causes and barriers are families of columns that share a text. Only where `missing` is set may a value be missing:
    elsewhere Arrow is told so, and readers may rely on it.
    """

    name: str
    type: Any
    unit: str = ""
    family: str | None = None
    missing: bool = False

    def text_key(self, table: str) -> str:
        """Return the key of the text that says what the column means."""
        return f"ground_truth.column.{table}.{self.family or self.name}"


@dataclass(frozen=True)
class Table:
    """One table; `truth` says that the firm does not see it."""

    name: str
    columns: tuple[Column, ...]
    truth: bool = False

    @property
    def path(self) -> str:
        """File of the table within the folder."""
        return f"{TRUTH}/{self.name}.parquet" if self.truth else f"{self.name}.parquet"

    @property
    def title(self) -> str:
        """Name of the table in answers: what is true has ``truth/`` before it."""
        return f"{TRUTH}/{self.name}" if self.truth else self.name

    @property
    def schema(self) -> Any:
        """The Arrow schema."""
        return pa.schema([pa.field(column.name, column.type, nullable=column.missing) for column in self.columns])


CUSTOMER = Column("customer", pa.int64())
WHEN = Column("tick", pa.int32(), TICK)

TABLES: tuple[Table, ...] = (
    Table(
        "customers",
        (
            CUSTOMER,
            Column("first_purchase", pa.int32(), TICK, missing=True),
            Column("last_purchase", pa.int32(), TICK, missing=True),
            Column("purchases", pa.int32(), "number"),
            Column("spend", pa.float64(), MONEY),
            Column("contract_left", pa.int32(), "ticks", missing=True),
            Column("referred", pa.bool_()),
            Column("treatment", CATEGORY),
            Column("active", pa.bool_()),
        ),
    ),
    Table(
        "transactions",
        (
            WHEN,
            CUSTOMER,
            Column("price", pa.float64(), f"{MONEY} per average purchase"),
            Column("amount", pa.float64(), MONEY),
            Column("promotion", pa.bool_()),
        ),
    ),
    Table(
        "contacts",
        (
            WHEN,
            CUSTOMER,
            Column("kind", CATEGORY),
            Column("number", pa.int16(), "number"),
            Column("worth", pa.float32(), MONEY),
        ),
    ),
    Table("complaints", (WHEN, CUSTOMER, Column("severity", CATEGORY), Column("outcome", CATEGORY))),
    Table(
        "surveys",
        (
            WHEN,
            CUSTOMER,
            Column("satisfaction", pa.int8(), "1 to 10"),
            Column("expectation", pa.int8(), "1 to 10"),
            Column("intention", pa.int8(), "1 to 10"),
        ),
    ),
    Table("labels", (CUSTOMER, Column("treatment", CATEGORY), Column("churned", pa.bool_()))),
    Table(
        "hazards",
        (
            WHEN,
            CUSTOMER,
            Column("hazard", pa.float32(), "per tick"),
            Column("voluntary", pa.float32(), "per tick"),
            Column("involuntary", pa.float32(), "per tick"),
            Column("attention", pa.float32(), "per occasion"),
            Column("stays", pa.float32(), "per look around"),
            Column("left", pa.bool_()),
        ),
        truth=True,
    ),
    Table(
        "departures",
        (
            WHEN,
            CUSTOMER,
            Column("taken", CATEGORY),
            Column("cause", CATEGORY),
            *(Column(name, pa.float32(), SHARE, "shares") for name in CAUSE_NAMES),
            *(Column(f"barrier_{name}", pa.float32(), MONEY, "barriers") for name in ENABLERS),
        ),
        truth=True,
    ),
    Table("failures", (WHEN, CUSTOMER, Column("severity", CATEGORY), Column("voiced", pa.bool_())), truth=True),
    Table(
        "states",
        (
            CUSTOMER,
            Column("with_firm", pa.bool_()),
            Column("tenure", pa.int32(), "ticks"),
            Column("satisfaction", pa.float32(), "0 to 1", missing=True),
            Column("expectation", pa.float32(), "0 to 1", missing=True),
            Column("belief", pa.float32(), "0 to 1"),
            Column("attachment", pa.float32(), "0 to 1"),
            Column("reference_price", pa.float32(), MONEY),
            Column("opportunity", pa.float32(), "per tick"),
            Column("quality_value", pa.float32(), MONEY),
            Column("price_weight", pa.float32()),
            Column("switching_cost", pa.float32(), MONEY),
            Column("taste", pa.float32(), MONEY),
        ),
        truth=True,
    ),
    Table(
        "effects",
        (
            CUSTOMER,
            Column("treatment", CATEGORY),
            Column("propensity", pa.float64(), "0 to 1"),
            Column("hazard_0", pa.float32(), "per tick", missing=True),
            Column("hazard_1", pa.float32(), "per tick", missing=True),
            Column("left_0", pa.bool_()),
            Column("left_1", pa.bool_()),
            Column("churned_0", pa.bool_()),
            Column("churned_1", pa.bool_()),
            Column("purchases_0", pa.int32(), "number"),
            Column("purchases_1", pa.int32(), "number"),
            Column("spend_0", pa.float64(), MONEY),
            Column("spend_1", pa.float64(), MONEY),
        ),
        truth=True,
    ),
)
"""Every table, in the order of the answer."""

BY_NAME = {table.name: table for table in TABLES}


def category(codes: Any, names: list[str]) -> Any:
    """Return a column of categories from codes and names; -1 is missing."""
    array = pa.array(codes, pa.int8(), mask=codes < 0)
    return pa.DictionaryArray.from_arrays(array, pa.array(names, pa.string()))


def dictionary(currency: str, tick: str) -> dict[str, Any]:
    """Return the data dictionary: every table and column with type, unit and meaning in both languages."""
    from churnsim.i18n import LANGUAGES, text

    def unit(written: str) -> str:
        return written.replace(MONEY, currency).replace("ticks", f"{tick}s").replace("tick", tick)

    return {
        table.title: {
            "file": table.path,
            "truth": table.truth,
            "meaning": {lang: text(f"ground_truth.table.{table.name}", lang) for lang in LANGUAGES},
            "columns": {
                column.name: {
                    "type": "string" if column.type == CATEGORY else str(column.type),
                    "unit": unit(column.unit),
                    "missing": column.missing,
                    "meaning": {lang: text(column.text_key(table.name), lang) for lang in LANGUAGES},
                }
                for column in table.columns
            },
        }
        for table in TABLES
    }
