"""Yardsticks for choice panels: first-order Markov, loyalty logit, mixed logit.

Each is fitted to a panel and simulates the households' next occasions: (replications, rows) positions of brands.
"""

from __future__ import annotations

import numpy as np
from scipy import optimize, stats

from churnsim.calibration.formats import Panel
from churnsim.calibration.sequences import repeat_rate, run_ratio, shares_of, switching

DRAWS = 128


MEASURES = ("shares, mean points off", "repeat rate, points off", "switching, mean points off", "run ratio, % off")
"""What forecasts are compared by."""


def errors(future: Panel, guess: tuple[np.ndarray, float, np.ndarray, float]) -> list[float]:
    """Return by how much shares, repeat rate, switching and run ratio miss what the households did."""
    return [
        100 * float(np.mean(np.abs(np.asarray(one) - np.asarray(true))))
        for one, true in zip(guess, means(future, future.choice[None]), strict=True)
    ]


def means(future: Panel, choices: np.ndarray) -> tuple[np.ndarray, float, np.ndarray, float]:
    """Return shares, repeat rate, switching and run ratio, averaged over replications."""
    count, home = len(future.brands), future.household
    rows = np.array([switching(home, choice, count) for choice in choices])
    seen = np.isfinite(rows)
    return (
        np.mean([shares_of(choice, count) for choice in choices], 0),
        float(np.mean([repeat_rate(home, choice) for choice in choices])),
        np.where(seen, rows, 0).sum(0) / np.maximum(seen.sum(0), 1),
        float(np.mean([run_ratio(home, choice) for choice in choices])),
    )


def _last(panel: Panel) -> dict[str, int]:
    """Return the brand each household bought last."""
    return {panel.households[i]: int(k) for i, k in zip(panel.household, panel.choice, strict=True)}


def _pick(value: np.ndarray, luck: np.random.Generator) -> np.ndarray:
    """Choose by logit: the highest of values with Gumbel luck, along the last axis."""
    return (value + luck.gumbel(size=value.shape)).argmax(-1)


def markov(panel: Panel, future: Panel, replications: int, seed: int) -> np.ndarray:
    """First-order Markov chain of brands, one transition more of each kind by its share than was seen."""
    brands = len(panel.brands)
    share = np.bincount(panel.choice, minlength=brands) / panel.choice.size
    count = np.tile(share, (brands, 1))
    same = panel.household[1:] == panel.household[:-1]
    np.add.at(count, (panel.choice[:-1][same], panel.choice[1:][same]), 1)
    chance = count / count.sum(1, keepdims=True)
    luck, last = np.random.default_rng(seed), _last(panel)
    found = np.empty((replications, future.household.size), int)
    for row, i in enumerate(future.household):
        if row and future.household[row - 1] == i:
            before = found[:, row - 1]
        elif future.households[i] in last:
            before = np.full(replications, last[future.households[i]])
        else:
            before = luck.choice(brands, replications, p=share)
        found[:, row] = (np.cumsum(chance[before], 1) < luck.random((replications, 1))).sum(1).clip(max=brands - 1)
    return found


def _loyalty(panel: Panel, carry: float) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return Guadagni & Little's loyalty on every occasion and after the last; it begins at 1 / brands."""
    brands = len(panel.brands)
    found, level = np.empty((panel.choice.size, brands)), np.empty(0)
    after: dict[str, np.ndarray] = {}
    for row, i in enumerate(panel.household):
        if row == 0 or panel.household[row - 1] != i:
            level = np.full(brands, 1 / brands)
        found[row] = level
        level = carry * level
        level[panel.choice[row]] += 1 - carry
        after[panel.households[i]] = level
    return found, after


def loyalty_logit(panel: Panel, future: Panel, replications: int, seed: int) -> np.ndarray:
    """Logit with loyalty, price, display, feature (Guadagni & Little 1983); carry-over .5 to .95 by likelihood."""
    brands, rows = len(panel.brands), np.arange(panel.choice.size)
    scale = panel.price.mean()

    def values(q: np.ndarray, part: Panel, loyalty: np.ndarray) -> np.ndarray:
        worth = np.concatenate([q[: brands - 1], [0.0]])
        return worth - q[-1] * part.price / scale + q[-2] * loyalty + q[-3] * part.display + q[-4] * part.feature

    best = None
    for carry in (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95):
        loyalty, after = _loyalty(panel, carry)

        def cost(q: np.ndarray, loyalty: np.ndarray = loyalty) -> float:
            v = values(q, panel, loyalty)
            v = v - v.max(1, keepdims=True)
            return -float((v[rows, panel.choice] - np.log(np.exp(v).sum(1))).sum()) + 1e-3 * float((q**2).sum())

        answer = optimize.minimize(cost, np.zeros(brands + 3), method="L-BFGS-B")
        if best is None or answer.fun < best[0]:
            best = answer.fun, answer.x, carry, after
    assert best is not None
    _, q, carry, after = best
    luck = np.random.default_rng(seed)
    found = np.empty((replications, future.household.size), int)
    level = np.empty(0)
    for row, i in enumerate(future.household):
        if row == 0 or future.household[row - 1] != i:
            start = after.get(future.households[i], np.full(brands, 1 / brands))
            level = np.tile(start, (replications, 1))
        one = Panel(*(panel.brands, panel.households), *(part[row : row + 1] for part in _columns(future)))
        found[:, row] = _pick(values(q, one, level), luck)
        level = carry * level
        level[np.arange(replications), found[:, row]] += 1 - carry
    return found


def _columns(panel: Panel) -> tuple[np.ndarray, ...]:
    """Return the columns of a panel in the order of its fields."""
    return (
        panel.household, panel.occasion, panel.choice, panel.price, panel.display, panel.feature, panel.order,
    )  # fmt: skip


def mixed_logit(panel: Panel, future: Panel, replications: int, seed: int) -> np.ndarray:
    """Logit with normal brand intercepts and price coefficient over households, without memory (Train 2009, chapter 6).

    Households' own values are drawn given what they bought (chapter 11).
    """
    brands, scale = len(panel.brands), panel.price.mean()
    starts = np.flatnonzero(np.diff(panel.household, prepend=-1))
    place = np.cumsum(np.diff(panel.household, prepend=-1) != 0) - 1
    luck = np.random.default_rng(seed)
    points = stats.qmc.Sobol(brands + 1, seed=luck).random(DRAWS)
    z = stats.norm.ppf(np.clip((points + luck.random((starts.size, 1, brands + 1))) % 1, 1e-6, 1 - 1e-6))
    chosen = np.zeros(panel.price.shape)
    chosen[np.arange(panel.choice.size), panel.choice] = 1

    def values(q: np.ndarray, part: Panel, z: np.ndarray) -> np.ndarray:
        worth = np.concatenate([q[: brands - 1], [0.0]]) + z[..., :brands] * np.exp(q[brands - 1 : 2 * brands - 1])
        price = (q[-3] + np.exp(q[-4]) * z[..., brands])[..., None]
        shown = q[-2] * part.display + q[-1] * part.feature
        return worth - price * (part.price / scale)[:, None, :] + shown[:, None, :]

    def cost(q: np.ndarray) -> tuple[float, np.ndarray]:
        v = values(q, panel, z[place])
        v -= v.max(2, keepdims=True)
        odds = np.exp(v)
        odds /= odds.sum(2, keepdims=True)
        log = np.log(np.take_along_axis(odds, panel.choice[:, None, None], 2)[:, :, 0])
        log = np.add.reduceat(log, starts, axis=0)
        top = log.max(1, keepdims=True)
        share = np.exp(log - top)
        total = -float((top[:, 0] + np.log(share.mean(1))).sum()) + 1e-2 * float((q**2).sum())
        share /= share.sum(1, keepdims=True)
        off = (chosen[:, None, :] - odds) * share[place][:, :, None]
        by_home = np.add.reduceat(off, starts, axis=0)
        paid = np.einsum("nrj,nj->nr", off, panel.price / scale)
        slope = np.concatenate(
            [
                off.sum((0, 1))[: brands - 1],
                (by_home * z[:, :, :brands]).sum((0, 1)) * np.exp(q[brands - 1 : 2 * brands - 1]),
                [-(np.add.reduceat(paid, starts, axis=0) * z[:, :, brands]).sum() * np.exp(q[-4]), -paid.sum()],
                [(off.sum(1) * panel.display).sum(), (off.sum(1) * panel.feature).sum()],
            ]
        )
        return total, -slope + 2e-2 * q

    q = optimize.minimize(cost, np.zeros(2 * brands + 3), jac=True, method="L-BFGS-B").x
    v = values(q, panel, z[place])
    log = v - np.log(np.exp(v - v.max(2, keepdims=True)).sum(2, keepdims=True)) - v.max(2, keepdims=True)
    log = np.add.reduceat(np.take_along_axis(log, panel.choice[:, None, None], 2)[:, :, 0], starts, axis=0)
    share = np.cumsum(np.exp(log - log.max(1, keepdims=True)), 1)
    share /= share[:, -1:]
    known = {panel.households[panel.household[start]]: k for k, start in enumerate(starts)}
    found = np.empty((replications, future.household.size), int)
    for r in range(replications):
        own = luck.standard_normal((len(future.households), brands + 1))
        for i, name in enumerate(future.households):
            if name in known:
                k = known[name]
                own[i] = z[k, min(int((share[k] < luck.random()).sum()), DRAWS - 1)]
        found[r] = _pick(values(q, future, own[future.household][:, None, :])[:, 0], luck)
    return found
