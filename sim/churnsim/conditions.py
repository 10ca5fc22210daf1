"""What holds for all customers in one tick, and the history of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from churnsim.engine.departures import History
from churnsim.engine.state import Market, Parameters
from churnsim.parameters import TRAITS
from churnsim.randomness import Stream, name_code, stream_key

if TYPE_CHECKING:
    from churnsim.firms import Firm
    from churnsim.scenario import Scenario


FIRST_BIRTH = -1_000_000
"""Tick under which the traits of the first customers are drawn; no run reaches it."""


class Conditions:
    """Publishes prices, offers and the keys of the tick's random numbers, and remembers them.

    Attributes
    ----------
    history : churnsim.engine.departures.History
        What firms did, one row per tick from the one before the first.
    """

    def __init__(self, base: Scenario, seed: int, firms: list[Firm]) -> None:
        self.seed = seed
        self.firms = firms
        self.first = -base.burn_in
        self.codes = [name_code(firm.name) for firm in firms]
        rows = base.burn_in + base.horizon + 1
        shape = (rows, len(firms))
        self.history = History(
            price=np.zeros(shape, np.float32),
            cue=np.zeros(shape, np.float32),
            promotion=np.zeros(shape, np.bool_),
            contract_length=np.zeros(shape, np.float32),
            contract_fee=np.zeros(shape, np.float32),
        )
        self.option_keys = np.zeros((rows, len(firms) + 1), np.uint64)
        self.network_key = stream_key(seed, Stream.NETWORK)

    def publish(self, tick: int, config: Scenario, parameters: Parameters, market_mean: float) -> Market:
        """Return what holds for all customers in a tick, and keep it as history."""
        seed, firms, on = self.seed, self.firms, config.mechanisms
        row = tick - self.first
        # The first customers are the same people however long the burn-in.
        born = FIRST_BIRTH if row == 0 else tick
        if row >= self.option_keys.shape[0]:
            self._extend()
        history = self.history
        prices = [firm.price for firm in firms if firm.open]
        mean = math.fsum(prices) / len(prices) if prices else 0.0
        strength = config.customers.price_cue.strength if on.price_cue and mean > 0 else 0.0
        history.price[row] = [firm.price for firm in firms]
        history.cue[row] = [strength * (firm.price - mean) / (mean or 1.0) for firm in firms]
        history.promotion[row] = [firm.promotion for firm in firms]
        history.contract_length[row] = [firm.config.contract.length for firm in firms]
        history.contract_fee[row] = [firm.config.contract.fee for firm in firms]
        self.option_keys[row] = [stream_key(seed, Stream.OPTION, tick, code) for code in (0, *self.codes)]
        return Market(
            row=np.int64(row),
            open=np.array([firm.open for firm in firms], np.bool_),
            price=history.price[row],
            cue=history.cue[row],
            contacts=np.array([firm.contacts if firm.open else 0 for firm in firms], np.float32),
            richness=np.array([firm.richness for firm in firms], np.float32),
            contract_length=history.contract_length,
            contract_fee=history.contract_fee,
            quality=np.array([firm.quality for firm in firms], np.float32),
            crowding=np.zeros(len(firms), np.float32),
            market_mean=np.float32(market_mean),
            involuntary_key=stream_key(seed, Stream.INVOLUNTARY, tick),
            opportunity_key=stream_key(seed, Stream.OPPORTUNITY, tick),
            contact_key=stream_key(seed, Stream.CONTACT, tick),
            attention_key=stream_key(seed, Stream.ATTENTION, tick),
            experience_key=stream_key(seed, Stream.EXPERIENCE, tick),
            telling_key=stream_key(seed, Stream.TELLING, tick),
            audience_key=stream_key(seed, Stream.AUDIENCE, tick),
            network_key=self.network_key,
            option_keys=self.option_keys,
            hearing_keys=self._keys(Stream.HEARING, tick, range(int(parameters.word_contacts))),
            trait_keys=np.array(
                [stream_key(seed, Stream[f"TRAIT_{name.upper()}"], born) for name in TRAITS], np.uint64
            ),
            taste_keys=self._keys(Stream.TRAIT_TASTE, born, self.codes),
            belief_keys=self._keys(Stream.TRAIT_BELIEF, born, self.codes),
        )

    def _keys(self, stream: Stream, tick: int, parts: range | list[int]) -> np.ndarray:
        """Return one key per part of a stream."""
        return np.array([stream_key(self.seed, stream, tick, part) for part in parts], np.uint64)

    def _extend(self) -> None:
        """Double the room for history, for models that are stepped past their horizon."""
        self.history = History(*(np.concatenate([column, np.zeros_like(column)]) for column in self.history))
        self.option_keys = np.concatenate([self.option_keys, np.zeros_like(self.option_keys)])
