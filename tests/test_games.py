"""Games: equilibria of games with a known answer, and properties of every answer."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churnsim.studies.evolution import alpha_rank, attractors, stationary, trajectory
from churnsim.studies.game_sampling import certainty, doubts, resamples, solutions
from churnsim.studies.games import (
    best_replies,
    checked,
    dominated,
    equilibria,
    expected,
    is_degenerate,
    is_symmetric,
    pure,
    pure_equilibria,
    regrets,
    symmetric_equilibria,
    undominated,
)

DILEMMA = np.array([[3, 0], [5, 1]])  # cooperate, defect
RPS = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]])
HAWK_DOVE = np.array([[-2, 4], [0, 2]])  # value 4, cost 8: hawks with probability V / C = 1/2
PENNIES = np.array([[[1, -1], [-1, 1]], [[-1, 1], [1, -1]]])
SEXES = np.array([[[2, 0], [0, 1]], [[1, 0], [0, 2]]])


def both(own):
    """Return a symmetric game of two from the payoffs of the first."""
    own = np.asarray(own, float)
    return np.array([own, own.T])


def mixes(found):
    return sorted(tuple(np.round(np.concatenate(one.profile), 9)) for one in found)


def random_game(seed, *sizes):
    return np.random.default_rng(seed).normal(size=(len(sizes), *sizes))


class TestKnownGames:
    def test_prisoners_dilemma(self):
        game = both(DILEMMA)
        (one,) = equilibria(game)
        assert one.is_pure and one.supports == ((1,), (1,)) and one.values.tolist() == [1, 1]
        gone = dominated(game)
        assert [(d.player, d.strategy, d.round) for d in gone] == [(0, 0, 1), (1, 0, 1)]
        assert is_symmetric(game)

    def test_rock_paper_scissors(self):
        (one,) = equilibria(both(RPS))
        np.testing.assert_allclose(one.profile, np.full((2, 3), 1 / 3))
        assert dominated(both(RPS)) == []

    def test_hawk_dove(self):
        found = equilibria(both(HAWK_DOVE))
        assert mixes(found) == [(0, 1, 1, 0), (0.5, 0.5, 0.5, 0.5), (1, 0, 0, 1)]
        (same,) = symmetric_equilibria(both(HAWK_DOVE))
        np.testing.assert_allclose(same.profile[0], [0.5, 0.5])

    def test_matching_pennies_and_battle_of_the_sexes(self):
        (one,) = equilibria(PENNIES)
        np.testing.assert_allclose(one.profile, np.full((2, 2), 0.5))
        found = equilibria(SEXES)
        assert len(found) == 3
        np.testing.assert_allclose(found[2].profile, [[2 / 3, 1 / 3], [1 / 3, 2 / 3]])
        assert not is_symmetric(SEXES)

    def test_three_players_by_majority(self):
        # Everybody wants to be with the majority: all alike are the two pure equilibria.
        game = np.zeros((3, 2, 2, 2))
        for cell in itertools.product(range(2), repeat=3):
            for i in range(3):
                game[(i, *cell)] = sum(cell[j] == cell[i] for j in range(3)) >= 2
        assert set(pure_equilibria(game)) >= {(0, 0, 0), (1, 1, 1)}
        found, lost = attractors(game, starts=40, ticks=400)
        assert lost < 0.1
        assert {one.equilibrium.supports for one in found[:2]} == {((0,),) * 3, ((1,),) * 3}
        assert is_symmetric(game)

    def test_dominated_by_a_mix_only(self):
        # The third row is never a best reply, although no single row always beats it.
        first = np.array([[4, 0], [0, 4], [1, 1]])
        game = np.array([first, np.array([[1, 0], [0, 1], [0, 0]])])
        (gone,) = dominated(game)
        assert (gone.player, gone.strategy) == (0, 2)
        assert ((gone.by[:, None] * first).sum(axis=0) > first[2]).all()
        assert dominated(game, mixed=False) == []

    def test_weak_dominance_is_another_matter(self):
        game = both([[1, 1], [1, 0]])
        assert dominated(game) == []
        assert {d.strategy for d in dominated(game, weak=True)} == {1}
        assert is_degenerate(game) and not is_degenerate(both(DILEMMA))

    def test_iterated_elimination(self):
        # Column 2 goes first; only then does row 1 lose its use (Osborne 2004's pattern).
        game = np.array([[[1, 1, 0], [0, 0, 2]], [[0, 2, 1], [3, 1, 0]]], float)
        assert [(d.player, d.strategy, d.round) for d in dominated(game)] == [(1, 2, 1), (0, 1, 2), (1, 0, 3)]
        assert [list(kept) for kept in undominated(game)] == [[0], [1]]

    @pytest.mark.parametrize("bad", [np.zeros((2, 2)), np.zeros((3, 2, 2)), np.array([[[1.0, np.nan]], [[0.0, 1.0]]])])
    def test_what_is_no_game(self, bad):
        with pytest.raises(ValueError, match="payoff"):
            checked(bad)


class TestEveryAnswer:
    @settings(max_examples=60, deadline=None)
    @given(st.integers(0, 10**6), st.integers(1, 5), st.integers(1, 5))
    def test_is_a_best_reply_and_there_is_one(self, seed, rows, columns):
        game = random_game(seed, rows, columns)
        found = equilibria(game)
        assert found
        assert len(found) % 2 == 1  # Wilson 1971: generic games have an odd number
        for one in found:
            assert regrets(game, one.profile).max() < 1e-7
            assert all(abs(mix.sum() - 1) < 1e-12 and (mix >= 0).all() for mix in one.profile)
            np.testing.assert_allclose(one.values, expected(game, one.profile))

    @settings(max_examples=40, deadline=None)
    @given(st.integers(0, 10**6), st.integers(2, 5))
    def test_symmetric_games_have_a_symmetric_one(self, seed, size):
        game = both(random_game(seed, size, size)[0])
        same = symmetric_equilibria(game)
        assert same
        everything = mixes(equilibria(game))
        for one in same:
            assert min(np.abs(np.concatenate(one.profile) - other).max() for other in everything) < 1e-6

    @settings(max_examples=40, deadline=None)
    @given(st.integers(0, 10**6), st.floats(0.01, 1e6), st.floats(-1e6, 1e6))
    def test_units_do_not_matter(self, seed, factor, shift):
        game = random_game(seed, 3, 3)
        other = game.copy()
        other[0] = factor * game[0] + shift
        np.testing.assert_allclose(mixes(equilibria(game)), mixes(equilibria(other)), atol=1e-5)

    @settings(max_examples=30, deadline=None)
    @given(st.integers(0, 10**6), st.permutations(range(4)))
    def test_names_do_not_matter(self, seed, order):
        game = random_game(seed, 4, 3)
        again = equilibria(game[:, order])
        undone = [np.concatenate([one.profile[0][np.argsort(order)], one.profile[1]]) for one in again]
        known = mixes(equilibria(game))
        assert len(undone) == len(known)
        for profile in known:
            assert min(np.abs(profile - other).max() for other in undone) < 1e-6

    @settings(max_examples=30, deadline=None)
    @given(st.integers(0, 10**6))
    def test_elimination_loses_no_equilibrium(self, seed):
        game = random_game(seed, 4, 4)
        gone = {(d.player, d.strategy) for d in dominated(game)}
        for one in equilibria(game):
            assert not {(i, s) for i, support in enumerate(one.supports) for s in support} & gone

    def test_nashpy_agrees_where_it_finds_them(self):
        nashpy = pytest.importorskip("nashpy")
        ours = theirs = 0
        for seed in range(12):
            game = random_game(seed, 4, 4)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                known = [np.concatenate(p) for p in nashpy.Game(*game).vertex_enumeration()]
            found = [np.concatenate(one.profile) for one in equilibria(game)]
            for profile in known:
                assert any(np.abs(profile - mine).max() < 1e-6 for mine in found)
            ours, theirs = ours + len(found), theirs + len(known)
        assert ours >= theirs > 0

    @pytest.mark.slow
    def test_all_supports_of_twelve(self):
        game = random_game(1, 12, 12)
        found = equilibria(game)
        assert len(found) % 2 == 1 and all(regrets(game, one.profile).max() < 1e-7 for one in found)

    def test_all_twelve_strategies(self):
        game = both(random_game(7, 12, 12)[0])
        same = symmetric_equilibria(game)
        assert same and all(regrets(game, one.profile).max() < 1e-7 for one in same)


class TestEvolution:
    def test_hawks_settle_at_value_over_cost(self):
        course = trajectory(both(HAWK_DOVE), (np.array([0.1, 0.9]),) * 2)
        np.testing.assert_allclose(course[0][-1], [0.5, 0.5], atol=1e-6)
        np.testing.assert_allclose(course[0].sum(axis=1), 1)

    def test_logistic_growth(self):
        # A strategy that always earns 1 more grows as the logistic curve: log-odds rise by 1 per unit of time.
        course = trajectory(both([[1, 1], [0, 0]]), (np.array([0.2, 0.8]),) * 2, ticks=20, step=0.1)[0]
        odds = np.log(course[:, 0] / course[:, 1])
        np.testing.assert_allclose(np.diff(odds), 0.1, atol=1e-9)

    def test_rock_paper_scissors_goes_round(self):
        # The product of the shares is constant in the zero-sum game (Hofbauer & Sigmund 1998).
        course = trajectory(both(RPS), (np.array([0.5, 0.3, 0.2]),) * 2, ticks=400)[0]
        np.testing.assert_allclose(course.prod(axis=1), course[0].prod(), rtol=1e-4)
        found, lost = attractors(both(RPS), starts=20, ticks=200, symmetric=True)
        assert found == [] and lost == 1

    def test_basins_of_a_coordination_game(self):
        # Starts beyond 1/3 for the better one lead to it: two thirds of an even spread.
        found, lost = attractors(both([[2, 0], [0, 1]]), starts=300, ticks=1500, symmetric=True)
        assert lost < 0.05
        assert found[0].equilibrium.supports == ((0,), (0,))
        assert abs(found[0].basin - 2 / 3) < 4 * np.sqrt(2 / 9 / 300)

    def test_alpha_rank(self):
        np.testing.assert_allclose(alpha_rank(both(DILEMMA))[1, 1], 1, atol=1e-4)
        np.testing.assert_allclose(alpha_rank(PENNIES), np.full((2, 2), 0.25))
        ranked = alpha_rank(SEXES)  # both equilibria, by symmetry half each
        np.testing.assert_allclose([ranked[0, 0], ranked[1, 1]], 0.5, atol=1e-4)

    def test_alpha_rank_of_a_cycle_is_its_members(self):
        # Rock, paper, scissors and a strategy that loses to all of them.
        game = np.full((4, 4), -2.0)
        game[:3, :3], game[:3, 3] = RPS, 2
        mass = alpha_rank(both(game)).sum(axis=1)
        np.testing.assert_allclose(mass, [1 / 3, 1 / 3, 1 / 3, 0], atol=1e-4)

    def test_stationary_distribution(self):
        rng = np.random.default_rng(1)
        chain = rng.uniform(size=(6, 6))
        chain /= chain.sum(axis=1, keepdims=True)
        pi = stationary(chain)
        np.testing.assert_allclose((pi[:, np.newaxis] * chain).sum(axis=0), pi)


class TestReplications:
    def samples(self, noise, runs=30, game=None):
        game = both(DILEMMA) if game is None else game
        return game + np.random.default_rng(3).normal(0, noise, size=(runs, *game.shape))

    def test_what_is_clear_is_certain(self):
        said = certainty(self.samples(0.1), symmetric=True, count=50)
        assert [(one.supports, one.probability) for one in said.equilibria] == [(((1,), (1,)), 1.0)]
        assert said.best[0, 1].tolist() == [1, 1]
        assert said.ranks[0, 1, 0] == 1 and said.mass[0][0, 1] > 0.99
        assert doubts(self.samples(0.1), said.best) == []

    def test_what_is_not_clear_is_not(self):
        close = both([[1.0, 0.98], [0.99, 1.0]])
        samples = self.samples(0.3, 20, close)
        said = certainty(samples, count=80)
        assert all(one.probability is None or one.probability < 0.95 for one in said.equilibria)
        told = doubts(samples, said.best)
        assert told and all(d.probability < 1 and d.gap[1] < d.gap[0] < d.gap[2] for d in told)
        assert all(d.needed is None or d.needed > 20 for d in told)

    def test_resamples_keep_pairs(self):
        # What two cells have in common stays in common.
        samples = np.zeros((10, 2, 2, 2))
        samples[:] = np.random.default_rng(0).normal(size=(10, 1, 1, 1))
        for payoffs in resamples(samples, 5, seed=1):
            assert np.ptp(payoffs) < 1e-12

    def test_solutions_of_a_large_symmetric_game_hold_a_symmetric_one(self):
        game = both(random_game(11, 9, 9)[0])
        found = solutions(game, symmetric=True, most=3)
        assert any(np.allclose(*one.profile) for one in found)
        assert best_replies(game).shape == (2, 9, 9)
        assert pure([0, 1], [2, 2])[1].tolist() == [0, 1]
