"""Tournaments: what is run, what is remembered, and what the game says."""

from __future__ import annotations

import json

import numpy as np
import pytest

import churnsim as cs
from churnsim.studies import tournament
from churnsim.studies.errors import StudyError
from churnsim.studies.played import path
from churnsim.studies.reading import read_record
from churnsim.studies.tournament import Tournament, interchangeable, left_to_run

SMALL = {"customers.count": 60, "horizon": 8, "burn_in": 6}
CUT = {"name": "price_cut", "depth": 0.2}


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    """Fewer resamples than people get, for time."""
    monkeypatch.setattr("churnsim.studies.game_sampling.RESAMPLES", 60)


def play(study, out=None, **more):
    """Play in this process: starting workers takes longer than these games."""
    return tournament.play(study, out, **{"jobs": 0, **more})


def small(**changes):
    given = {"scenario": "two_hotels", "set": SMALL, "firms": ("nanyuan", "eton"), "replications": 3,
             "strategies": {"passive": "passive", "cut": CUT, "service": "service_quality"}}  # fmt: skip
    return Tournament(**{**given, **changes})


STUDY = """\
scenario: two_hotels
set: {customers.count: 60, horizon: 8, burn_in: 6}
firms: [nanyuan, eton]
replications: 3
strategies:
  passive: {name: passive}
  cut: {name: price_cut, depth: 20%}
"""


class TestStudyFile:
    def test_labels(self):
        assert small(strategies=["passive", CUT]).labels == ("passive", "price_cut")
        assert set(small(strategies="all").labels) == set(cs.STRATEGIES)
        with pytest.raises(ValueError, match="twice"):
            small(strategies=[CUT, {**CUT, "depth": 0.1}])

    @pytest.mark.parametrize(
        ("old", "new", "line", "words"),
        [
            ("price_cut", "price_cutt", 7, "price_cut"),
            ("depth: 20%", "depth: 200%", 7, "between 0 and 1"),
            ("firms: [nanyuan, eton]", "firms: [nanyuan, etom]", 3, "eton"),
            ("firms: [nanyuan, eton]", "firms: [nanyuan]", 3, "2 to 4"),
            ("replications: 3", "replications: 1", 4, "at least 2"),
            ("replications: 3", "payoff: profitt", 4, "profit"),
            ("replications: 3", "payoff: share@99", 4, "ticks -5 to 8"),
            ("replications: 3", "vary: {firms.eton.price: [200, -1]}", 4, "at least 0|between 0"),
            ("replications: 3", "vary: {firms.eton.prize: [200]}", 4, "price"),
            ("replications: 3", "repplications: 3", 4, "replications"),
            ("customers.count: 60", "customers.cont: 60", 2, "count"),
            ("  passive: {name: passive}\n", "", 6, "at least two"),
            ("scenario: two_hotels", "scenario: two_hotel", 1, "two_hotels"),
        ],
    )
    def test_mistakes(self, write, old, new, line, words):
        assert old in STUDY
        with pytest.raises(StudyError) as caught:
            read_record(write(STUDY.replace(old, new)), Tournament)
        (problem, *_) = caught.value.errors
        assert problem.line == line
        told = caught.value.render("en")
        assert any(word in told for word in words.split("|")), told
        assert caught.value.render("zh") != told

    def test_the_scenario_may_lie_beside_it(self, write):
        write(cs.load("two_hotels").set(SMALL).to_yaml(), "mine.yaml")
        study = read_record(write(STUDY.replace("two_hotels", "mine.yaml"), "study.yaml"), Tournament)
        assert study.market.customers.count == 60 and study.name == "study"

    def test_published_ones_fit(self):
        for name in ("tournament_two_hotels", "tournament_switching_costs"):
            study = read_record(name, Tournament)
            assert study.title and study.question and study.runs > 100


class TestPlay:
    def test_numbers_are_those_of_the_runs(self):
        study = small(set={**SMALL, "firms.eton.price": 310}, payoff="profit@3-8")
        (game,) = play(study)
        assert not game.symmetric and game.samples.shape == (3, 2, 3, 3)
        scenario = study.cell(None, (1, 2)).named("here")
        ticks = cs.run([scenario], study.seeds).ticks.query("3 <= tick <= 8")
        wide = ticks.groupby(["firm", "seed"], observed=True)["profit"].mean()
        for player, firm in enumerate(("nanyuan", "eton")):
            np.testing.assert_allclose(game.samples[:, player, 1, 2], wide[firm].to_numpy())

    def test_symmetry_is_used_only_where_it_is(self):
        hotels = cs.load("two_hotels")
        firms = ("nanyuan", "eton")
        assert interchangeable(hotels, firms)
        assert not interchangeable(hotels.set({"firms.eton.price": 301}), firms)
        assert not interchangeable(hotels.move(tick=3, firm="eton", price=290), firms)
        assert len(small().choices(None)) == 6
        assert len(small(set={**SMALL, "firms.eton.price": 301}).choices(None)) == 9

    def test_a_symmetric_game_is_symmetric(self):
        (game,) = play(small())
        assert game.symmetric
        np.testing.assert_array_equal(game.samples[:, 0], np.swapaxes(game.samples[:, 1], 1, 2))

    @pytest.mark.slow
    def test_exchanging_players_keeps_the_expectation_and_the_pairs(self):
        # Within five standard errors of the game in which every combination was run; and strategies that do the same
        # earn the same in every replication, although different firms played them.
        study = small(replications=40, strategies={"passive": "passive", "same": "match_rival", "cut": CUT})
        (half,) = play(study)
        full = np.array([
            [play_cell(study, (i, j)) for j in range(3)] for i in range(3)
        ])  # fmt: skip
        error = full.std(axis=2, ddof=1) / np.sqrt(40)
        gap = np.abs(half.means[0] - full.mean(axis=2))
        assert (gap <= 5 * error + 1e-6).all()
        np.testing.assert_allclose(half.samples[:, 0, 0, 0], half.samples[:, 0, 1, 0])

    def test_what_was_run_is_not_run_again(self, tmp_path):
        study = small()
        assert left_to_run(study, tmp_path) == 18 and list(tmp_path.iterdir()) == []
        counts = []
        (first,) = play(study, tmp_path, progress=lambda done, total: counts.append((done, total)))
        assert counts[0] == (0, 18) and counts[-1] == (18, 18)
        assert left_to_run(study, tmp_path) == 0
        (again,) = play(study, tmp_path)
        np.testing.assert_array_equal(first.samples, again.samples)
        more = small(strategies={**study.strategies, "undercut": {"name": "undercut"}})
        assert left_to_run(more, tmp_path) == 12  # four new pairs of three replications
        assert left_to_run(small(replications=4), tmp_path) == 6

    def test_a_stopped_tournament_goes_on(self, tmp_path):
        study = small(replications=20)
        (whole,) = play(study)

        def stop(done, total):
            if done:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            play(study, tmp_path, progress=stop)
        assert 0 < left_to_run(study, tmp_path) < study.runs
        (rest,) = play(study, tmp_path)
        np.testing.assert_array_equal(whole.samples, rest.samples)

    def test_the_game_is_told_with_its_certainty(self):
        (game,) = play(small(replications=8))
        (best,) = [one for one in game.equilibria if one.equilibrium.is_pure][:1]
        assert game.labels[best.supports[0][0]] == "passive"  # eight months do not pay an investment back
        assert 0 < best.probability <= 1
        told = game.earned(best.equilibrium.profile)
        assert all(one.low < one.value < one.high for one in told)
        frame = game.frame()
        assert len(frame) == 2 * 9 and set(frame["player"]) == {"nanyuan", "eton"}
        assert frame.loc[frame["best"], "chance"].min() > 0.3
        assert game.better_for_all(best.equilibrium) is None or best.probability < 1
        shares = game.trajectories(starts=3, ticks=20).groupby(["start", "step", "player"])["share"].sum()
        np.testing.assert_allclose(shares, 1)

    def test_twins_are_named(self):
        # Without termination contracts bind nobody.
        study = small(set={**SMALL, "mechanisms.termination": False},
                      strategies={"passive": "passive", "contract": "contract"})  # fmt: skip
        (game,) = play(study)
        assert game.twins == {"contract": "passive"}

    def test_levels(self):
        games = play(small(vary={"customers.switching_cost.mean": [20, 200]}, strategies=["passive", CUT]))
        assert [game.level for game in games] == [20, 200]
        assert not np.array_equal(games[0].samples, games[1].samples)
        frame = path(games)
        assert set(frame["level"]) == {20, 200} and frame["probability"].between(0, 1).all()

    @pytest.mark.slow
    def test_three_players(self):
        cars = cs.load("us_cars")
        firms = tuple(cars.firms)[:3]
        study = Tournament(scenario=cars.set({"customers.count": 80, "horizon": 6}), firms=firms,
                           strategies=["passive", CUT], replications=2)  # fmt: skip
        (game,) = play(study)
        assert game.samples.shape == (2, 3, 2, 2, 2)
        assert all(one.equilibrium is not None for one in game.equilibria)


def play_cell(study, choice):
    scenario = study.cell(None, choice).named("here")
    ticks = cs.run([scenario], study.seeds).ticks.query("tick == 8 and firm == 'nanyuan'")
    return ticks.sort_values("seed")["cumulative_profit"].to_numpy()


class TestCommand:
    def test_json_and_files(self, cli, write):
        write(STUDY, "game.yaml")
        answer = cli("tournament", "game.yaml", "--jobs", "0", "--json", "--plot", "figs")
        assert answer.code == 0
        said = answer.json
        assert said["strategies"] == ["passive", "cut"]
        assert {"mean", "low", "high"} <= set(said["payoffs"][0][1])
        assert said["payoffs"][0][1]["firms"]["eton"]["mean"] == said["payoffs"][1][0]["mean"]
        (one, *_) = said["equilibria"]
        assert set(one["strategies"]) == {"nanyuan", "eton"} and one["probability"] > 0
        kept = json.loads((write("", "x").parent / said["out"] / "tournament.json").read_text())
        assert kept["payoffs"] == said["payoffs"]
        figures = write("", "y").parent / "figs"
        assert {file.name for file in figures.iterdir()} == {"payoffs.png", "replicator.png"}

    def test_words(self, cli, write):
        write(STUDY, "game.yaml")
        english = cli("tournament", "game.yaml", "--jobs", "0")
        assert english.code == 0
        assert "Answer: " in english.out
        assert "no change" in english.out and "Alpha-rank" in english.out
        chinese = cli("tournament", "game.yaml", "--jobs", "0", "--lang", "zh")
        assert "答案" in chinese.out and "南苑大酒店" in chinese.out

    def test_dry_run_runs_nothing(self, cli, write):
        folder = write(STUDY, "game.yaml").parent
        answer = cli("tournament", "game.yaml", "--jobs", "0", "--dry-run", "--json")
        assert {name: answer.json[name] for name in ("study", "runs", "missing")} == {
            "study": "game", "runs": 9, "missing": 9,
        }  # fmt: skip
        assert not (folder / "results").exists()

    def test_stopped_by_its_user(self, cli, write, monkeypatch):
        def interrupted(*given, **more):
            raise KeyboardInterrupt

        monkeypatch.setattr("churnsim.studies.tournament.play", interrupted)
        write(STUDY, "game.yaml")
        answer = cli("tournament", "game.yaml", "--jobs", "0")
        assert answer.code == 130 and "kept in" in answer.err

    def test_bad_input(self, cli, write):
        write(STUDY.replace("price_cut", "price_cat"), "game.yaml")
        answer = cli("tournament", "game.yaml", "--jobs", "0")
        assert answer.code == 2 and "price_cut" in answer.err and "7 |" in answer.err
        answer = cli("tournament", "tournament_two_hotel")
        assert answer.code == 2 and "tournament_two_hotels" in answer.err

    def test_everything_is_told_at_once_and_once(self, cli, write):
        wrong = STUDY.replace("[nanyuan, eton]", "[nanyuan, etton]").replace("name: passive", "name: pasive")
        write(wrong + "payoff: profitt\nvary: {firms.eton.prise: [1, 2, 3], }\n", "price_game.yaml")
        answer = cli("tournament", "price_game.yaml", "--dry-run")
        assert answer.code == 2 and "has 4 problems" in answer.err
        for near in ("eton", "price", "passive", "profit"):
            assert f"Did you mean {near}?" in answer.err
        assert answer.err.count("prise'") == 1
        assert "docs/tournaments.md" in answer.err and "experiments.md" not in answer.err

    def test_settings_and_the_whole_are_told_at_once(self, cli, write):
        wrong = STUDY.replace("replications: 3", "replications: 1").replace(
            "  cut: {name: price_cut, depth: 20%}\n", ""
        )
        write(wrong, "price_game.yaml")
        answer = cli("tournament", "price_game.yaml", "--dry-run")
        assert answer.code == 2 and "has 2 problems" in answer.err

    def test_a_folder_of_other_runs_is_refused_without_advice_that_cannot_be_followed(self, cli, write):
        write(STUDY, "price_game.yaml")
        write(STUDY.replace("customers.count: 60", "customers.count: 61"), "other.yaml")
        assert cli("tournament", "price_game.yaml", "--out", "runs", "--jobs", "0").code == 0
        answer = cli("tournament", "other.yaml", "--out", "runs", "--jobs", "0")
        assert answer.code == 2 and "holds another study" in answer.err and "reuse" not in answer.err

    def test_a_label_of_the_users_own_is_kept(self):
        from churnsim.cli.game_answers import names_of

        own = small(strategies={"passive": CUT, "cut": CUT, "price_cut": CUT, "bold": "passive"})
        assert names_of(own, "en") == {"passive": "passive", "cut": "cut", "price_cut": "price cut", "bold": "bold"}
        assert names_of(own, "zh")["price_cut"] == "降价"

    @pytest.mark.parametrize(("most", "written"), [(164_300, "¥16.4 万"), (34_560, "¥3.46 万"), (1.2345e6, "¥123 万")])
    def test_chinese_payoffs_have_as_many_figures(self, most, written):
        from types import SimpleNamespace

        from churnsim.cli.game_answers import writer

        asked, games = small(), [SimpleNamespace(means=np.array([most, 0.0]))]
        said = writer(asked, games, "zh")(most).replace("\N{NO-BREAK SPACE}", " ")
        assert said == written
        figures = [sum(map(str.isdigit, writer(asked, games, lang)(most))) for lang in ("en", "zh")]
        assert figures[1] >= figures[0] >= 3


class TestGuide:
    def test_it_is_executed(self, tmp_path, monkeypatch):
        import re

        from conftest import ROOT

        monkeypatch.chdir(tmp_path)
        guide = (ROOT / "docs" / "tournaments.md").read_text(encoding="utf-8")
        for kind, block in re.findall(r"^```(yaml|python)\n(.*?)^```", guide, flags=re.MULTILINE | re.DOTALL):
            if kind == "yaml":
                name = re.match(r"# (\w+\.yaml)\n", block)[1]
                (tmp_path / name).write_text(block, encoding="utf-8")
                assert read_record(name, Tournament).runs == 36
            else:
                exec(compile(block, "tournaments.md", "exec", dont_inherit=True), {"__name__": "guide"})


class TestFigures:
    def game(self, noise):
        import pandas as pd

        from churnsim.studies.played import Played

        own = np.array([[3.0, 1.0], [2.95, 1.5]])
        rng = np.random.default_rng(1)
        samples = np.array([own, own.T]) * 1e5 + rng.normal(0, noise, size=(12, 2, 2, 2)) * 1e5
        game = Played(("nanyuan", "eton"), ("passive", "cut"), None, samples, symmetric=False)
        assert isinstance(game.frame(), pd.DataFrame)
        return game

    @pytest.mark.parametrize("lang", ["en", "zh"])
    def test_payoffs(self, lang):
        from matplotlib.patches import Rectangle

        from churnsim.plots.games import payoffs

        sure, unsure = self.game(0.001), self.game(0.5)
        ax = payoffs(sure.frame(), marks=sure.pure_cells, lang=lang)
        frames = [patch for patch in ax.patches if isinstance(patch, Rectangle) and patch.get_edgecolor()[0] > 0.7]
        assert len(frames) == 2 and not any(frame.get_hatch() for frame in frames)
        assert len(ax.lines) == len(sure.pure_cells) == 2
        numbers = [word.get_text() for word in ax.texts if word.get_text().replace(".", "").isdigit()]
        assert len(numbers) == 4
        other = payoffs(unsure.frame(), "eton", lang=lang)
        assert any(patch.get_hatch() for patch in other.patches)

    def test_path_and_replicator(self):
        import pandas as pd

        from churnsim.plots.games import equilibrium_path, replicator

        frame = pd.DataFrame({"level": [1, 2, 1, 2], "equilibrium": ["a / a", "a / a", "b / b", "b / b"],
                              "probability": [1, 0.4, 0, 0.6]})  # fmt: skip
        ax = equilibrium_path(frame, "Switching cost", runs=20)
        assert [list(line.get_ydata()) for line in ax.lines[:2]] == [[1, 0.4], [0, 0.6]]
        ax = replicator(self.game(0.1).trajectories(starts=3, ticks=10))
        assert len(ax.lines) == 2 * 3 and ax.get_ylim()[0] == 0


def test_beyond_twelve_strategies_dynamics_help_out():
    from churnsim.studies.played import Played

    # Rock, paper, scissors thirteen times over: no pure equilibrium, the even mix is one, and nothing is dominated.
    size = 13
    own = np.array([[np.sign((j - i) % size - size / 2) if i != j else 0 for j in range(size)] for i in range(size)])
    game = Played(("a", "b"), tuple(map(str, range(size))), None, np.array([[own, own.T]] * 3, float), symmetric=True)
    assert not game.is_exhaustive
    assert game.equilibria == [] and game.attractors[1] == 1  # it goes round in circles, and says so
