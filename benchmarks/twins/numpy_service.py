"""The service phase of the NumPy twin: moves, stays and contacts, what they leave behind, and word of mouth."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from . import numpy_luck as luck
from .numpy_luck import uniform
from .numpy_people import HALF, ONE, TWO, ZERO, F, People, pick
from .numpy_record import SCALE


class Service(People):
    """People who live through what they chose, and talk about it."""

    def _serve(self) -> None:
        """Deliver stays and contacts; customers move, learn, feel and remember."""
        p, price = self.rules, self.price[self.row][:, None]
        strength = F(self.scenario.customers.experience.crowding if self.on.crowding else 0.0)
        self.crowd = []
        for j, firm in enumerate(self.firms):
            load = F(self.books.purchases[j + 1] / self.size) / F(firm.config.capacity)
            self.crowd.append(strength * max(load - ONE, ZERO))
            firm.crowding = float(self.crowd[j])
        newcomers = np.concatenate(self.natural)
        if newcomers.size:
            self._settle(newcomers, self.tick)
        self._move()
        self.stories: list[tuple[np.ndarray, ...]] = []
        for low in range(0, self.size, self.chunk):
            part = slice(low, low + self.chunk)
            bought, before = self.choice[part], self.provider[part]
            late = []  # what the dense updates below would overwrite is computed first and put in place after them
            for j in range(len(self.firms)):
                rows = np.flatnonzero(bought == j + 1)
                rows += low
                if rows.size:
                    late += self._stay(j, rows)
                if self.contacts[j] > 0:
                    rows = np.flatnonzero((before == j + 1) & (bought != j + 1))
                    rows += low
                    late.append(self._contact(j, rows))
            sunk, attachment, reference = self.sunk[part], self.attachment[:, part], self.reference[:, part]
            change = self.scratch[:, : bought.size]
            sunk -= np.multiply(sunk, p.sunk_decay, out=change[0])
            attachment -= np.multiply(attachment, p.attachment_decay, out=change)
            np.subtract(price, reference, out=change)
            change *= p.reference_seen
            reference += change
            for target, rows, values in late:
                target[rows] = values
            self._keep_attached(part)
            best = change[0]
            best.fill(0)
            for j, is_open in enumerate(self.open):
                if is_open:
                    np.maximum(best, self.belief[j, part], out=best)
            best -= self.expectation[part]
            np.maximum(best, ZERO, out=best)
            best *= p.expectation_spill
            self.expectation[part] += best
        np.copyto(self.provider, self.following)

    def _move(self) -> None:
        """Take customers to the option they chose, and remember what they know on joining a firm."""
        p, books = self.rules, self.books
        rows = np.flatnonzero(self.following != self.provider)
        self.sunk[rows] = ZERO
        self.satisfaction[rows] = p.neutral
        rows = rows[self.following[rows] > 0]
        k = self.following[rows] - 1
        at = k.astype(np.int64) * self.size + rows
        stranger, lost = self.stranger.reshape(-1), self.lost_at_start.reshape(-1)
        fresh = stranger.take(at)
        books.returned += np.bincount(k[fresh == 0], minlength=len(self.firms))
        books.cohort_returned += np.bincount(k[lost.take(at)], minlength=len(self.firms))
        self.expectation[rows] = np.clip(self.belief.take(at) + self.cue[self.row, k] * fresh, ZERO, ONE)
        stranger[at] = ZERO
        lost[at] = False
        self.anchor_row[rows] = self.row
        self.anchor_crowding[rows], self.anchor_word[rows] = self.crowding_part.take(at), self.word_part.take(at)
        for remembered, mind in zip(self.anchor.reshape(-1, self.size), self.mind.reshape(-1, self.size), strict=True):
            remembered[rows] = pick(mind, rows)
        self.kept_attachment[rows] = self.attachment.take(at)
        self.kept_core[rows] = self.belief.take(at) - self.crowding_part.take(at) - self.word_part.take(at)

    def _stay(self, j: int, rows: np.ndarray) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Let customers stay with a firm (E7-E10, E13-E15, E19); return what is to be set at the end."""
        p, salt = self.rules, pick(self.salt, rows)
        felt = self.functions.normal(uniform(self.keys[luck.EXPERIENCE], salt))
        felt *= p.experience_noise
        felt += F(self.firms[j].quality) - self.crowd[j]
        np.clip(felt, ZERO, ONE, out=felt)
        self._keep_core(j, rows, felt)
        self.books.felt += int(np.trunc(felt * F(SCALE)).sum(dtype=np.float64))
        for column, signal in ((self.belief, felt), (self.crowding_part, -self.crowd[j]), (self.word_part, ZERO)):
            known = pick(column[j], rows)
            known += p.learning * (signal - known)
            column[j][rows] = known
        expected = pick(self.expectation, rows)
        gap = felt - expected
        # Falling short weighs more, so the lesser of two products is the right one.
        pleased = p.disconfirmation * gap
        np.minimum(pleased, p.satisfaction_loss * pleased, out=pleased)
        pleased += HALF
        pleased += p.performance * (felt - F(self.market_mean))
        np.clip(pleased, ZERO, ONE, out=pleased)
        satisfaction = pick(self.satisfaction, rows)
        satisfaction += p.satisfaction_rate * (pleased - satisfaction)
        self.satisfaction[rows] = satisfaction
        # The faster of two rates is the greater change upwards and the lesser downwards.
        rise, fall = p.expectation_up * gap, p.expectation_down * gap
        expected += np.maximum(rise, fall) if p.expectation_up >= p.expectation_down else np.minimum(rise, fall)
        self.expectation[rows] = expected
        if self.on.word_of_mouth:
            self._tell(j, rows, salt, satisfaction, felt)
        intensity: Any = p.stay_intensity
        if self.contacts[j] > 0:
            intensity = p.stay_intensity + self._contact_intensity(j, salt) * (self.provider[rows] == j + 1)
        sunk = pick(self.sunk, rows)
        sunk -= p.sunk_decay * sunk
        sunk += p.sunk_share * self.price[self.row, j]
        reference = pick(self.reference[j], rows)
        reference += p.reference_rate * (self.price[self.row, j] - reference)
        grown = self._attached(j, rows, satisfaction, intensity, p.attachment_growth)
        return [(self.sunk, rows, sunk), (self.reference[j], rows, reference), (self.attachment[j], rows, grown)]

    def _tell(self, j: int, rows: np.ndarray, salt: np.ndarray, satisfaction: np.ndarray, felt: np.ndarray) -> None:
        """Decide who tells how many people about a stay with a firm."""
        p, spread = self.rules, self.scenario.customers.word_of_mouth
        chance = np.abs(satisfaction - HALF)
        chance *= p.tell_extreme * TWO
        chance += p.tell_base
        tells = np.flatnonzero(uniform(self.keys[luck.TELLING], salt) < chance)
        u, sad = uniform(self.keys[luck.AUDIENCE], pick(salt, tells)), pick(satisfaction, tells) < HALF
        told = np.searchsorted(self.told_table[spread.told_when_satisfied], u)
        told[sad] = np.searchsorted(self.told_table[spread.told_when_dissatisfied], u[sad])
        self.stories.append((rows.take(tells), told.astype(F), pick(felt, tells), np.full(tells.size, j)))

    def _contact(self, j: int, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the attachment to a firm of customers who did not stay with it, but were contacted by it."""
        growth = self.rules.attachment_growth * (self.following[rows] == j + 1)
        intensity = self._contact_intensity(j, pick(self.salt, rows))
        return self.attachment[j], rows, self._attached(j, rows, pick(self.satisfaction, rows), intensity, growth)

    def _contact_intensity(self, j: int, salt: np.ndarray) -> Any:
        """Return the intensity of a firm's contacts with its customers (E14)."""
        p, richness = self.rules, F(self.firms[j].richness)

        def intensity(contacts: np.float32) -> np.float32:
            effect = richness * contacts / (ONE + (contacts - ONE) / p.satiation) if contacts > 0 else ZERO
            return p.contact_intensity * min(effect, ONE)

        whole, more = self._contacts(j, salt)
        return intensity(whole) if more is None else np.where(more, intensity(whole + ONE), intensity(whole))

    def _keep_core(self, j: int, rows: np.ndarray, felt: np.ndarray) -> None:
        """Let customers learn what they would have, had a firm kept its best quality since they joined."""
        missing = self.best_quality[pick(self.anchor_row, rows), j] - F(self.firms[j].quality)
        kept = pick(self.kept_core, rows)
        kept += self.rules.learning * (np.clip(felt + missing, ZERO, ONE) + self.crowd[j] - kept)
        self.kept_core[rows] = kept

    def _keep_attached(self, part: slice) -> None:
        """Let attachment grow as it would have, had every firm kept its best relationship work."""
        p = self.rules
        for j in range(len(self.firms)):
            rows = np.flatnonzero(self.following[part] == j + 1) + part.start
            best = self.best_work[pick(self.anchor_row, rows), j]
            wished = self.contacted[best, j]
            received = np.floor(wished)
            received += uniform(self.keys[luck.CONTACT], pick(self.salt, rows)) < wished - received
            effect = self.richness[best, j] * received / (ONE + (received - ONE) / p.satiation)
            effect = np.where(received > 0, np.minimum(effect, ONE), ZERO) * p.contact_intensity
            intensity = p.stay_intensity * (self.choice[rows] == j + 1) + effect * (self.provider[rows] == j + 1)
            satisfaction, level = pick(self.satisfaction, rows), pick(self.kept_attachment, rows)
            kept = self._grown(level, satisfaction, intensity, p.attachment_growth)
            self.kept_attachment[rows] = np.maximum(kept, pick(self.attachment[j], rows))

    def _attached(self, j: int, rows: np.ndarray, satisfaction: np.ndarray, intensity: Any, growth: Any) -> np.ndarray:
        """Return the attachment to a firm after this tick (E13)."""
        return self._grown(pick(self.attachment[j], rows), satisfaction, intensity, growth)

    def _grown(self, level: np.ndarray, satisfaction: np.ndarray, intensity: Any, growth: Any) -> np.ndarray:
        """Return an attachment after this tick (E13)."""
        p = self.rules
        gain = np.maximum(satisfaction - p.attachment_floor, ZERO)
        gain *= growth * intensity
        gain *= ONE - level
        gain += level
        level *= p.attachment_decay
        level *= ONE - intensity
        gain -= level
        return gain

    def _listen(self) -> None:
        """Move beliefs towards what is heard (E19)."""
        start, entries = self.network
        heard = []
        for teller, told, said, firm in self.stories:
            first = start.take(teller)
            counts = start.take(teller + 1) - first
            last = np.cumsum(counts)
            story = np.repeat(np.arange(teller.size), counts)
            entry = (first - last + counts).take(story)
            entry += np.arange(entry.size)
            entry = entries.take(entry)
            n, who = entry & (luck.MOST_TIES - 1), entry // luck.MOST_TIES
            u = uniform(self.hearing_keys.take(n), luck.salts(who))
            u *= F(self.hearing_keys.size)
            hears = np.flatnonzero(u < told.take(story))
            story = story.take(hears)
            heard.append(
                (n.take(hears).astype(np.uint8), firm.take(story) * self.size + who.take(hears), said.take(story))
            )
        if not heard:
            return
        n, at, said = (np.concatenate(column) for column in zip(*heard, strict=True))
        # One acquaintance after another, because a belief may move several times in one tick.
        order = np.argsort(n, kind="stable")
        at, said = at.take(order), said.take(order)
        bounds = np.cumsum(np.bincount(n, minlength=self.hearing_keys.size))
        belief, word = self.belief.reshape(-1), self.word_part.reshape(-1)
        for first, last in itertools.pairwise((0, *bounds)):
            here = at[first:last]
            before = belief.take(here)
            after = said[first:last] - before
            after *= self.rules.word_weight
            after += before
            belief[here] = after
            after -= before
            after += word.take(here)
            word[here] = after
