"""Which sold lines the file's returns belong to. Pure.

The file does not say what a return returns. A row is matched to lines of the same customer and
product in orders that stand above it, newest first, each line up to the pieces sold; what finds no
line is counted, never guessed.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from apps.orders.replay.survey import ReturnRow, SoldOrder, Survey


@dataclass(slots=True)
class Candidate:
    """A sold line that may come back; ``line`` is where its order ends in the file."""

    line: int
    invoice: str
    position: int
    left: int


@dataclass(slots=True)
class FileReturn:
    """What one cancelling invoice brings back of one order: position → pieces."""

    invoice: str
    order: str
    pieces: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class Matches:
    """``returns`` in the order of the file, and how many rows and pieces found their lines."""

    returns: list[FileReturn] = field(default_factory=list)
    matched: int = 0
    partly_matched: int = 0
    unmatched: int = 0
    matched_pieces: int = 0
    unmatched_pieces: int = 0


class Matcher:
    """Looks at the orders while they pass, then matches."""

    def __init__(self, survey: Survey):
        self.survey = survey
        self.wanted = {(row.customer, row.code) for row in survey.returns}
        self.candidates: dict[tuple[int, str], list[Candidate]] = defaultdict(list)

    def watch(self, orders: Iterable[SoldOrder]) -> Iterator[SoldOrder]:
        """Passes the orders on and remembers the lines that may come back."""
        for order in orders:
            for position, sale in enumerate(order.sales, start=1):
                if (order.customer, sale.code) in self.wanted:
                    ends = self.survey.last_line[order.invoice]
                    self.candidates[order.customer, sale.code].append(
                        Candidate(ends, order.invoice, position, sale.quantity)
                    )
            yield order

    @property
    def invoices(self) -> set[str]:
        """The orders of which something may come back."""
        return {one.invoice for lines in self.candidates.values() for one in lines}

    def match(self, sold: Collection[str]) -> Matches:
        """Matches the rows in their order to lines of the invoices in ``sold``; call it once."""
        matches = Matches()
        found: dict[tuple[str, str], FileReturn] = {}
        for row in self.survey.returns:
            missing = self._match_row(row, sold, found)
            matches.matched_pieces += row.quantity - missing
            matches.unmatched_pieces += missing
            if not missing:
                matches.matched += 1
            elif missing < row.quantity:
                matches.partly_matched += 1
            else:
                matches.unmatched += 1
        matches.returns = list(found.values())
        return matches

    def _match_row(
        self, row: ReturnRow, sold: Collection[str], found: dict[tuple[str, str], FileReturn]
    ) -> int:
        """Takes the row's pieces from the newest lines above it; how many found none."""
        missing = row.quantity
        for line in reversed(self.candidates[row.customer, row.code]):
            if not missing:
                break
            pieces = min(missing, line.left)
            if not pieces or line.line > row.line or line.invoice not in sold:
                continue
            line.left -= pieces
            missing -= pieces
            one = found.setdefault(
                (row.invoice, line.invoice), FileReturn(row.invoice, line.invoice)
            )
            one.pieces[line.position] = one.pieces.get(line.position, 0) + pieces
        return missing
