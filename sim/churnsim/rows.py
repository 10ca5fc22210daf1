"""One row of the population's arrays, with every column as an attribute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from churnsim.engine.state import Columns

if TYPE_CHECKING:
    from churnsim.model import ChurnModel


class Row:
    """A view of one row: every column of `churnsim.engine.state.Columns` is an attribute, read and written through.

    A number or, where there is one per firm, an array over firms.
    """

    if TYPE_CHECKING:
        model: ChurnModel
        row: int
        # Columns, attached below from the engine's own list of them.
        id: Any
        provider: Any
        tenure: Any
        known: Any
        lost_at_start: Any
        opportunity: Any
        quality_value: Any
        price_weight: Any
        switching_cost: Any
        transaction_cost: Any
        expectation: Any
        satisfaction: Any
        sunk: Any
        taste: Any
        belief: Any
        belief_crowding: Any
        belief_word: Any
        attachment: Any
        reference: Any
        kept_attachment: Any
        kept_core: Any
        anchor_row: Any
        choice: Any
        looked: Any
        following: Any
        exit: Any
        told: Any
        told_quality: Any


def _column(name: str) -> property:
    """Return the property through which a view reads and writes one column."""

    def get(self: Row) -> Any:
        column = getattr(self.model.columns, name)
        return column[self.row] if column.ndim == 1 else column[:, self.row]

    def put(self: Row, value: Any) -> None:
        getattr(self.model.columns, name)[..., self.row] = value

    return property(get, put, doc=f"Column ``{name}`` of this customer; see `churnsim.engine.state.Columns`.")


for _name in Columns._fields:
    setattr(Row, _name, _column(_name))
