"""The choice phase of the NumPy twin: exits, occasions, attention, choice; and why those who left did so."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import numpy_luck as luck
from .numpy_luck import uniform
from .numpy_people import CLOSURE, CREDIT, HALF, LAPSE, NATURAL, NONE, ONE, ZERO, F, People, pick

FLAT = F(1e-5)
CAUSES, VARIETY = 14, 13


def value_of_quality(belief: np.ndarray, theta: np.ndarray, floor: np.float32) -> np.ndarray:
    """Return the willingness to pay for believed qualities (E4)."""
    value = theta * belief
    # Beliefs below the core floor are rare; the gate is 1 for all others.
    if floor > 0 and belief.size and belief.min() < floor:
        value *= np.minimum(np.maximum(belief, ZERO) / floor, ONE)
    return value


class Choice(People):
    """People who choose, and leave for reasons."""

    def _choose(self) -> None:
        """Involuntary exits, purchase occasions, attention, choice: who buys where and is whose customer next."""
        self.books.open_tick()
        np.copyto(self.following, self.provider)
        self.natural = [np.empty(0, np.int64)]
        self.leavers: list[list[tuple[np.ndarray, ...]]] = [[] for _ in self.firms]
        for low in range(0, self.size, self.chunk):
            part = slice(low, low + self.chunk)
            here, salt = self.provider[part], self.salt[part]
            occasion = uniform(self.keys[luck.OPPORTUNITY], salt) < self.opportunity[part]
            occasion[self._exits(low, here, salt)] = False
            # Whoever does not look around buys from the provider: its number where there is an occasion, else -1.
            bought = self.choice[part]
            np.add(here, 1, out=bought)
            np.multiply(bought, occasion, out=bought)
            np.subtract(bought, 1, out=bought)
            for c in range(len(self.firms) + 1):
                rows = np.flatnonzero(occasion & (here == c))
                if rows.size:
                    self._shop(c, rows + low)

    def _exits(self, low: int, here: np.ndarray, salt: np.ndarray) -> np.ndarray:
        """Carry out the exits that nobody chooses (E25); return their places in the slice."""
        p, books = self.rules, self.books
        lapse = p.hazard_natural + p.hazard_lapse
        highest = lapse + p.hazard_credit
        shut = np.array([False, *(not is_open for is_open in self.open)])
        if highest == 0 and not shut.any():
            return np.empty(0, np.int64)
        u = uniform(self.keys[luck.INVOLUNTARY], salt)
        hit = u < highest
        for c in np.flatnonzero(shut):
            hit |= here == c
        place = np.flatnonzero(hit)
        u, c = u[place], here[place]
        kind = np.where(u < lapse, LAPSE, CREDIT)
        kind[shut[c]] = CLOSURE
        kind[c == 0] = NONE
        kind[u < p.hazard_natural] = NATURAL
        place, c, kind = place[kind > 0], c[kind > 0], kind[kind > 0]
        books.exits += np.bincount(c * 5 + kind, minlength=books.exits.size).reshape(books.exits.shape)
        self.following[low + place] = 0
        self.natural.append(low + place[kind == NATURAL])
        return place

    def _shop(self, c: int, rows: np.ndarray) -> None:
        """Let the customers of one provider (0: nobody's) who have an occasion look around and choose."""
        p, books, salt = self.rules, self.books, pick(self.salt, rows)
        books.purchases[c] += rows.size
        if self.on.attention:
            looks = np.flatnonzero(uniform(self.keys[luck.ATTENTION], salt) < self._attention(c, rows, salt))
            rows, salt = rows.take(looks), pick(salt, looks)
        value = self._values(c, rows)
        shock = self.functions.gumbel(uniform(self.option_keys, salt))
        utility = p.noise * shock
        utility += value
        others = [k for k in range(len(value)) if k != c and (k == 0 or self.open[k - 1])]
        if not others:
            return
        best = utility[others[0]]
        for k in others[1:]:
            best = np.maximum(best, utility[k])
        # A tie goes to the provider, then to the first option; which rival it is matters for few.
        moved = np.flatnonzero(best > utility[c])
        if not moved.size:
            return
        best = best.take(moved)
        taken = np.full(moved.size, others[-1])
        for k in others[-2::-1]:
            taken = np.where(pick(utility[k], moved) == best, k, taken)
        rows = rows.take(moved)
        self.choice[rows] = self.following[rows] = taken
        counts = np.bincount(taken, minlength=len(value))
        books.flows[c] += counts
        books.purchases += counts
        books.purchases[c] -= rows.size
        if c:
            better = value[taken, moved] - value[c, moved]
            lucky = p.noise * (shock[taken, moved] - shock[c, moved])
            self.leavers[c - 1].append((np.full(rows.size, c - 1), rows, taken, better + lucky))

    def _attention(self, c: int, rows: np.ndarray, salt: np.ndarray) -> np.ndarray:
        """Return the probability of looking around (E11)."""
        p, triggers = self.rules, ZERO
        gap = pick(self.reference, rows)
        price = self.price[self.row][:, None]
        reference = gap.copy()
        np.subtract(gap, price, out=gap)
        if c:
            np.negative(gap[c - 1], out=gap[c - 1])  # rivals stir by being cheaper, one's own firm by being dearer
        np.maximum(gap, ZERO, out=gap)
        np.divide(gap, reference, out=gap)
        if self.was_free:
            gap[reference <= 0] = ZERO
        if c:
            triggers = p.trigger_rise * gap[c - 1]
            length = self.contract[c - 1][0] if self.on.termination else ZERO
            if length > 0:
                triggers += p.trigger_expiry * (self._tenure(rows) == length)
            received, more = self._contacts(c - 1, salt)
            if received > 0:
                triggers += p.trigger_contact
            elif more is not None:
                triggers += p.trigger_contact * more
        deepest: Any = ZERO
        for j, is_open in enumerate(self.open):
            if is_open and j != c - 1:
                deepest = np.maximum(deepest, gap[j])
        triggers = triggers + p.trigger_cut * deepest
        chance = pick(self.satisfaction, rows)
        chance -= HALF
        chance *= p.attention_slope
        np.subtract(p.attention_base, chance, out=chance)
        chance += triggers
        return self.functions.logistic(chance)

    def _values(self, c: int, rows: np.ndarray) -> np.ndarray:
        """Return what each option is worth to customers of one provider, less the cost of taking it (E1)."""
        p, price, cue = self.rules, self.price[self.row][:, None], self.cue[self.row][:, None]
        theta, stranger = pick(self.quality_value, rows), pick(self.stranger, rows)
        value = np.empty((len(self.firms) + 1, rows.size), F)
        firm = value[1:]
        firm[:] = value_of_quality(pick(self.belief, rows), theta, p.core_floor)
        firm -= pick(self.price_weight, rows) * price
        if p.gain_weight > 0:
            firm += self._gain(pick(self.reference, rows), price)
        if p.attachment_value > 0:
            firm += p.attachment_value * pick(self.attachment, rows)
        firm += pick(self.taste, rows)
        if cue.any():
            firm += theta * cue * stranger
        cost = pick(self.switching_cost, rows) if self.on.switching_cost else np.zeros(rows.size, F)
        if not c:  # a newcomer has nothing to switch from
            cost = cost * (stranger.min(axis=0) == 0)
        if c and self.contract[c - 1][1] > 0:
            cost += self._barrier(c - 1, self._tenure(rows))
        own = value[c] + p.sunk_weight * pick(self.sunk, rows) if c else p.outside_value
        value[0] = p.outside_value - cost
        if self.on.transaction_cost:
            stranger *= pick(self.transaction_cost, rows)
            stranger += cost
            firm -= stranger
        else:
            firm -= cost
        value[c] = own
        return value

    def _used_to(self, rows: np.ndarray) -> np.ndarray:
        """Return what customers would believe of their firm, had it kept its best quality since they joined."""
        kept = pick(self.kept_core, rows)
        kept += pick(self.anchor_crowding, rows)
        kept += pick(self.anchor_word, rows)
        return kept

    def _explain(self) -> None:
        """Split every chosen departure over what has changed since the customer joined the firm."""
        leavers = [part for firm in self.leavers for part in firm]
        if not leavers:
            return
        p, row, size = self.rules, self.row, self.size
        c, rows, taken, margin = (np.concatenate(column) for column in zip(*leavers, strict=True))
        base, theta, weight = (pick(a, rows) for a in (self.anchor_row, self.quality_value, self.price_weight))
        terms = np.zeros((CAUSES, rows.size), F)

        def quality(mind: np.ndarray, at: np.ndarray, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            belief = mind[0].take(at)
            return belief, value_of_quality(belief, theta, p.core_floor)

        at = c * size + rows
        now, then = self.price[row, c], self.price[base, c]
        terms[0] = weight * (now - then)
        terms[1] = self._gain(self.anchor_reference.take(at), then) - self._gain(self.reference.take(at), now)
        belief_now, value_now = quality(self.mind, at, theta)
        belief_then = np.maximum(self.anchor_belief.take(at), self._used_to(rows))
        value_then = value_of_quality(belief_then, theta, p.core_floor)
        change = belief_now - belief_then
        # A belief that hardly moved gives no reliable slope in single precision.
        slope = np.where(np.abs(change) < FLAT, theta, (value_now - value_then) / change)
        terms[3] = -slope * (self.crowding_part.take(at) - pick(self.anchor_crowding, rows))
        terms[4] = -slope * (self.word_part.take(at) - pick(self.anchor_word, rows))
        terms[2] = (value_then - value_now) - terms[3] - terms[4]
        value = p.attachment_value
        most = np.maximum(self.anchor_attachment.take(at), pick(self.kept_attachment, rows))
        terms[5] = value * most - value * self.attachment.take(at)

        to = np.flatnonzero(taken)
        k, rows_k, base_k, theta_k = taken[to] - 1, rows[to], base[to], theta[to]
        at = k * size + rows_k
        now, then = self.price[row, k], self.price[base_k, k]
        cheaper = -weight[to] * (now - then)
        gain = self._gain(self.reference.take(at), now) - self._gain(self.anchor_reference.take(at), then)
        promoted = np.array([firm.promotion for firm in self.firms])[k]
        terms[6, to] = np.where(promoted, ZERO, cheaper)
        terms[7, to] = np.where(promoted, cheaper + gain, ZERO)
        terms[8, to] = np.where(promoted, ZERO, gain)
        terms[9, to] = theta_k * (self.cue[row, k] - self.cue[base_k, k]) * self.stranger.take(at)
        terms[10, to] = quality(self.mind, at, theta_k)[1] - quality(self.anchor, at, theta_k)[1]
        terms[11, to] = value * self.attachment.take(at) - value * self.anchor_attachment.take(at)
        # The outside offer (12) cannot change without moves; variety (13) is whatever the test below does not explain,
        # so the luck at joining, which the model subtracts from it, need not be drawn again.
        np.maximum(terms, ZERO, out=terms)
        total = np.zeros(rows.size, F)
        for term in terms[:VARIETY]:
            total += term
        caused = total > margin
        terms /= np.where(caused & (total > 0), total, F(np.inf))
        highest = terms.max(axis=0)
        first = (VARIETY - np.arange(CAUSES, dtype=np.int8))[:, None] * ((terms == highest) & (highest > 0))
        primary = VARIETY - first.max(axis=0)
        terms[VARIETY] = ~caused

        barriers = np.zeros((4, rows.size), F)
        barriers[0] = ZERO - p.sunk_weight * pick(self.sunk, rows)
        bounds = np.searchsorted(c, np.arange(len(self.firms) + 1))
        for j, (length, fee) in enumerate(self.contract):
            mine = slice(bounds[j], bounds[j + 1])
            if length > 0 and fee > 0:
                barriers[3, mine] = self._barrier(j, ZERO) - self._barrier(j, self._tenure(rows[mine]))
            self.books.explained(j, primary[mine], terms[:, mine], barriers[:, mine])
