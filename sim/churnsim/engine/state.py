"""The population as a struct of arrays, and the numbers every kernel reads.

Firms are numbered 0 ... J-1 in the order of the scenario; an *option* is a firm's number
plus 1, and option 0 is the outside: staying away. A row is a customer's place in the
arrays, an id is who the customer is: draws follow the id, so rows may be permuted freely.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from churnsim.engine.dealings.state import N_COUNTED

OUTSIDE = 0
"""Option number of staying away."""

NO_PURCHASE = -1
"""Value of `Columns.choice` for a customer without a purchase occasion."""


class Columns(NamedTuple):
    """State of every customer, one array per variable; money in the scenario's currency.

    Shapes are (n,) or (J, n). The group from `anchor_row` on holds what the customer knew at
    taking up with the present provider, for attribution; few customers need it in a tick, so it is stored
    customer by customer. The two before it say what would be had the provider stayed as good as it has been since,
    for attribution too (docs/decisions/0009). The last group is written and read within a tick.
    """

    id: np.ndarray  # uint32
    provider: np.ndarray  # int8, option number
    tenure: np.ndarray  # int16, ticks with the present provider
    known: np.ndarray  # uint8, bit j: has ever been firm j's customer
    lost_at_start: np.ndarray  # uint8, bit j: was lost by firm j by tick 0 and has not come back
    opportunity: np.ndarray  # float32, 1 per tick
    quality_value: np.ndarray  # float32, money
    price_weight: np.ndarray  # float32
    switching_cost: np.ndarray  # float32, money
    transaction_cost: np.ndarray  # float32, money
    expectation: np.ndarray  # float32, 0 ... 1
    satisfaction: np.ndarray  # float32, 0 ... 1, with the present provider
    sunk: np.ndarray  # float32, money, with the present provider
    taste: np.ndarray  # float32 (J, n), money
    belief: np.ndarray  # float32 (J, n), 0 ... 1
    belief_crowding: np.ndarray  # float32 (J, n), the part of the belief that crowding made
    belief_word: np.ndarray  # float32 (J, n), the part of the belief that word of mouth made
    attachment: np.ndarray  # float32 (J, n), 0 ... 1
    reference: np.ndarray  # float32 (J, n), money
    kept_attachment: np.ndarray  # float32, to the provider, had it kept up its best relationship work
    kept_core: np.ndarray  # float32, believed quality of the provider without crowding and word, had it kept its best
    anchor_row: np.ndarray  # int32, history row of taking up with the provider
    anchor_belief: np.ndarray  # float32 (J, n)
    anchor_crowding: np.ndarray  # float32, the part of the belief about the provider that crowding made
    anchor_word: np.ndarray  # float32, the part of it that word of mouth made
    anchor_attachment: np.ndarray  # float32 (J, n)
    anchor_reference: np.ndarray  # float32 (J, n)
    choice: np.ndarray  # int8, option bought this tick, or NO_PURCHASE
    looked: np.ndarray  # bool, whether the customer compared offers on this tick's occasion
    following: np.ndarray  # int8, provider after this tick
    exit: np.ndarray  # uint8, involuntary exit of this tick (mechanisms.involuntary)
    told: np.ndarray  # uint8, people told about this tick's stay
    told_quality: np.ndarray  # float32, quality they were told of

    def __deepcopy__(self, memo: dict[int, Any]) -> Columns:
        """Copy in the same layout, which compiled code depends on."""
        twin = allocate(self.id.size, self.belief.shape[0])
        for column, copy in zip(self, twin, strict=True):
            copy[...] = column
        return twin

    def __reduce__(self) -> tuple[Any, tuple[dict[str, np.ndarray]]]:
        """Pickle the contents; the layout is made anew."""
        return _restored, (self._asdict(),)


_PER_FIRM = {
    "taste", "belief", "belief_crowding", "belief_word", "attachment", "reference", "anchor_belief",
    "anchor_attachment", "anchor_reference",
}  # fmt: skip
_TYPES = {
    "id": np.uint32, "provider": np.int8, "tenure": np.int16, "known": np.uint8, "lost_at_start": np.uint8,
    "anchor_row": np.int32, "choice": np.int8, "looked": np.bool_, "following": np.int8, "exit": np.uint8,
    "told": np.uint8,
}  # fmt: skip


CACHE_LINE = 64
PAGE = 4096
STAGGER = 13 * CACHE_LINE
"""Bytes by which arrays begin later and later in a page; 13 of the 64 lines of a page visits all of them."""


def allocate(customers: int, firms: int) -> Columns:
    """Return zeroed columns for a population."""
    single, per_firm = ("anchor_crowding", "anchor_word"), ("anchor_belief", "anchor_attachment", "anchor_reference")
    width = len(single) + firms * len(per_firm)
    shapes: dict[str, tuple[int, ...]] = {
        name: (firms, customers) if name in _PER_FIRM else (customers,)
        for name in Columns._fields
        if name not in single and name not in per_firm
    }
    # One line of memory per customer: taking up with a firm writes them all, and leaving it reads them all.
    shapes["anchors"] = (customers, width)
    held = _arena({name: (shape, np.dtype(_TYPES.get(name, np.float32))) for name, shape in shapes.items()})
    together = held.pop("anchors")
    held |= {name: together[:, k] for k, name in enumerate(single)}
    for k, name in enumerate(per_firm):
        begin = len(single) + firms * k
        held[name] = together[:, begin : begin + firms].T
    return Columns(**held)


def _arena(wanted: dict[str, tuple[tuple[int, ...], np.dtype]]) -> dict[str, np.ndarray]:
    """Return zeroed arrays that share one piece of memory.

    One large piece can lie on huge pages. Each array begins `STAGGER` bytes further into a page than the one
    before, or else the same rows of all of them would compete for the same few places in the cache.
    """
    begins, end = {}, CACHE_LINE
    for name, (shape, dtype) in wanted.items():
        begins[name] = end
        size = math.prod(shape) * dtype.itemsize
        end += -(-size // PAGE) * PAGE + STAGGER if size >= PAGE else -(-size // CACHE_LINE) * CACHE_LINE
    space = np.zeros(end, np.uint8)
    first = -space.ctypes.data % CACHE_LINE
    arrays = {}
    for name, (shape, dtype) in wanted.items():
        size = math.prod(shape) * dtype.itemsize
        begin = begins[name] - CACHE_LINE + first
        arrays[name] = space[begin : begin + size].view(dtype).reshape(shape)
    return arrays


def _restored(contents: dict[str, np.ndarray]) -> Columns:
    """Return columns with given contents."""
    firms, customers = contents["belief"].shape
    columns = allocate(customers, firms)
    for name, column in contents.items():
        getattr(columns, name)[...] = column
    return columns


def bytes_per_customer(firms: int) -> float:
    """Return the size of the state in bytes per customer."""
    one = allocate(1, firms)
    return float(sum(column.nbytes for column in one))


class Parameters(NamedTuple):
    """Numbers of the customers' rules, float32; a mechanism that is off has its neutral value."""

    noise: np.float32
    outside_value: np.float32
    gain_weight: np.float32
    loss_aversion: np.float32
    reference_rate: np.float32
    reference_seen: np.float32
    experience_noise: np.float32
    core_floor: np.float32
    learning: np.float32
    expectation_up: np.float32
    expectation_down: np.float32
    expectation_spill: np.float32
    disconfirmation: np.float32
    satisfaction_loss: np.float32
    performance: np.float32
    satisfaction_rate: np.float32
    neutral: np.float32
    attention_on: np.bool_
    attention_base: np.float32
    attention_slope: np.float32
    trigger_rise: np.float32
    trigger_cut: np.float32
    trigger_expiry: np.float32
    trigger_contact: np.float32
    attachment_value: np.float32
    attachment_growth: np.float32
    attachment_decay: np.float32
    attachment_floor: np.float32
    stay_intensity: np.float32
    contact_intensity: np.float32
    satiation: np.float32
    sunk_weight: np.float32
    sunk_decay: np.float32
    sunk_share: np.float32
    switching_on: np.float32
    transaction_on: np.float32
    termination_on: np.float32
    hazard_natural: np.float32
    hazard_lapse: np.float32
    hazard_credit: np.float32
    word_contacts: np.int64
    word_weight: np.float32
    tell_base: np.float32
    tell_extreme: np.float32
    told_dissatisfied: np.float32
    told_satisfied: np.float32


def stacked(sets: Sequence[Parameters]) -> np.ndarray:
    """Return sets of parameters as one array of records, which kernels read."""
    kinds = [(name, np.asarray(value).dtype) for name, value in zip(Parameters._fields, sets[0], strict=True)]
    return np.array([tuple(one) for one in sets], np.dtype(kinds, align=True)).view(np.recarray)


class Traits(NamedTuple):
    """Distributions of the six customer traits, and of taste and first beliefs.

    `kind`, `centre`, `spread` have one entry per trait, in the order opportunity, quality value,
    price weight, switching cost, transaction cost, size.
    """

    kind: np.ndarray  # int64 (6,)
    centre: np.ndarray  # float32 (6,)
    spread: np.ndarray  # float32 (6,)
    table: np.ndarray  # float32 (6, cells + 1)
    taste_sd: np.float32  # of the part of the taste that is one's own
    circle_sd: np.float32  # of what each member of one's circle adds to it
    circle: np.int64  # members of a circle; 0 where tastes are independent
    belief_sd: np.float32
    belief_mean: np.ndarray  # float32 (J,)
    attachment: np.float32
    neutral: np.float32


class Market(NamedTuple):
    """What holds for all customers of one market in one tick; arrays have one entry per firm unless said otherwise.

    Kernels take the markets of a batch as one `Market` whose arrays have a leading axis over markets.
    """

    row: Any  # int64, history row of this tick
    parameter_set: np.ndarray  # int64 (rows,), by history row
    trait_set: Any  # int64
    first: Any  # int64, row of the first customer in the columns
    active: Any  # int64, customers at present
    ring: Any  # int64, customers of the small world at its beginning
    open: np.ndarray  # bool
    opened: np.ndarray  # int64, history row of the tick in which the firm opened; 0 for those there from the start
    price: np.ndarray  # float32, money
    cue: np.ndarray  # float32, quality inferred from price by the inexperienced
    contacts: np.ndarray  # float32, contacts per customer this tick
    richness: np.ndarray  # float32
    prices: np.ndarray  # float32 (rows, J), money; what firms did in every tick so far
    cues: np.ndarray  # float32 (rows, J)
    promotions: np.ndarray  # bool (rows, J)
    contacts_then: np.ndarray  # float32 (rows, J)
    richness_then: np.ndarray  # float32 (rows, J)
    best_work: np.ndarray  # int64 (rows, J), row of the firm's best relationship work from each row on
    best_quality: np.ndarray  # float32 (rows, J), the firm's best quality from each row on
    slackened: np.ndarray  # bool, whether the firm's relationship work has been better before
    worsened: np.ndarray  # bool, whether its quality has
    contract_length: np.ndarray  # float32 (rows, J), ticks
    contract_fee: np.ndarray  # float32 (rows, J), money
    contracts: Any  # bool_, whether anybody may be under contract
    quality: np.ndarray  # float32
    crowding: np.ndarray  # float32, known after the choice phase
    market_mean: Any  # float32, mean experience of stays so far
    money_unit: Any  # float64, currency per unit of the money counters
    rewired: Any  # float32, share of ties that lead far away
    told_ladders: np.ndarray  # float32 (2, MOST_TOLD), people told by the dissatisfied and by the satisfied
    involuntary_key: Any  # uint64
    opportunity_key: Any  # uint64
    contact_key: Any  # uint64
    attention_key: Any  # uint64
    experience_key: Any  # uint64
    telling_key: Any  # uint64
    audience_key: Any  # uint64
    network_key: Any  # uint64, the same in every tick
    option_keys: np.ndarray  # uint64 (rows, J + 1), of every tick of the run
    hearing_keys: np.ndarray  # uint64, one per acquaintance
    trait_keys: np.ndarray  # uint64 (5,)
    taste_keys: np.ndarray  # uint64 (J,)
    circle_keys: np.ndarray  # uint64 (J,), the same in every tick
    belief_keys: np.ndarray  # uint64 (J,)
    customs_set: Any  # int64, place of the numbers of the market's dealings
    conduct: np.ndarray  # float32 (J, N_CONDUCT), levers of dealings as funded, in the order of engine.levers
    stocks: np.ndarray  # float32 (J, N_STOCKS), what dealings have built up
    season: Any  # float32, weight of this tick in the calendar
    deal_keys: np.ndarray  # uint64 (N_STREAMS,)
    firm_keys: np.ndarray  # uint64 (J, N_FIRM_STREAMS)
    birth_keys: np.ndarray  # uint64 (N_TRAIT_STREAMS,)


class Counters(NamedTuple):
    """Sums over customers in whole numbers, so that no order of adding can matter.

    Fractions are counted in units of 1 / SCALE; money in units of the scenario's money unit / SCALE.
    """

    flows: np.ndarray  # int64 (J + 1, J + 1), from option to option
    exits: np.ndarray  # int64 (J + 1, EXITS), involuntary exits by option and kind
    purchases: np.ndarray  # int64 (J + 1,), by option bought
    returned: np.ndarray  # int64 (J,)
    cohort_returned: np.ndarray  # int64 (J,)
    stays_quality: np.ndarray  # int64 (1,), experienced quality summed over stays
    heads: np.ndarray  # int64 (J + 1,), customers by provider
    satisfaction: np.ndarray  # int64 (J,)
    expectation: np.ndarray  # int64 (J,)
    attachment: np.ndarray  # int64 (J,)
    belief: np.ndarray  # int64 (J,)
    reference: np.ndarray  # int64 (J,), money
    loyalty: np.ndarray  # int64 (J, 4): true, spurious, latent, none
    lost_pool: np.ndarray  # int64 (J,)
    primary: np.ndarray  # int64 (J, N_TERMS), explained departures by their first cause
    labels: np.ndarray  # int64 (J, N_TERMS), explained departures that name the cause
    shares: np.ndarray  # int64 (J, N_TERMS), explained departures split over their causes
    barriers: np.ndarray  # int64 (J, N_BARRIERS), money
    counted: np.ndarray  # int64 (J, N_COUNTED), dealings, in the order of dealings.state.COUNTED

    def __deepcopy__(self, memo: dict[int, Any]) -> Counters:
        """Copy all in one piece."""
        return _recounted(self._asdict())

    def __reduce__(self) -> tuple[Any, tuple[dict[str, np.ndarray]]]:
        """Pickle the contents; the piece is made anew."""
        return _recounted, (self._asdict(),)


SCALE = 2.0**20

EXITS = 6
"""Kinds of involuntary exit, none included (mechanisms.involuntary)."""

N_TERMS = 26
"""Causes that are terms of an option's value, in the order of `churnsim.causes.CAUSES`."""

N_BARRIERS = 5
"""Barriers that may have worn off, in the order of `churnsim.causes.ENABLERS`."""


def new_counters(places: int, firms: int) -> Counters:
    """Return `places` sets of counters at zero, on a leading axis."""
    options = firms + 1
    shapes = {
        "flows": (options, options), "exits": (options, EXITS), "purchases": (options,), "stays_quality": (1,),
        "heads": (options,), "loyalty": (firms, 4), "primary": (firms, N_TERMS), "labels": (firms, N_TERMS),
        "shares": (firms, N_TERMS), "barriers": (firms, N_BARRIERS), "counted": (firms, N_COUNTED),
    }  # fmt: skip
    sizes = {name: (places, *shapes.get(name, (firms,))) for name in Counters._fields}
    lengths = [math.prod(shape) for shape in sizes.values()]
    # All in one piece, which can be added and set to zero as a whole, and with some distance to whatever comes next in
    # memory: threads that count side by side must not share a cache line. Each counter is contiguous, for one market
    # and for many: kernels would be compiled once more for another layout.
    piece = np.zeros(sum(lengths) + CACHE_LINE, np.int64)
    ends = np.cumsum(lengths)
    parts = zip(sizes.items(), ends - lengths, ends, strict=True)
    return Counters(**{name: piece[begin:end].reshape(shape) for (name, shape), begin, end in parts})


def _recounted(contents: dict[str, np.ndarray]) -> Counters:
    """Return counters with given contents."""
    flows = contents["flows"]
    if flows.ndim == 2:  # one market's part of a batch
        return Counters(**{name: column.copy() for name, column in contents.items()})
    counters = new_counters(flows.shape[0], flows.shape[1] - 1)
    for name, column in contents.items():
        getattr(counters, name)[...] = column
    return counters


def whole_of(counters: Counters) -> np.ndarray:
    """Return the piece of memory in which counters lie, (numbers,) int64."""
    piece = counters.flows.base
    assert piece is not None
    return piece


def one_of(many: Any, place: int) -> Any:
    """Return one market's part of a named tuple whose arrays have a leading axis over markets."""
    return type(many)(*(column[place] for column in many))
