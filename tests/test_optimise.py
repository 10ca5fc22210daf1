"""Optimisation: searches that find what is known, fair comparisons, and answers that say how sure they are."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churnsim.plots.optimisation import gains as _gains
from churnsim.studies import optimise as optimising
from churnsim.studies.errors import StudyError
from churnsim.studies.optimisation import Optimisation, Requirement
from churnsim.studies.optimum import as_json, front_frame
from churnsim.studies.reading import read_record
from churnsim.studies.search import DifferentialEvolution, Nsga, nondominated, spread_out

STUDY = """\
scenario: two_hotels
set: {customers.count: 60, horizon: 8, burn_in: 6}
firm: nanyuan
levers:
  firms.nanyuan.strategy.training: {uniform: [0, 20]}
  firms.nanyuan.strategy.level: {levels: [basic, proactive]}
  price: {uniform: [280, 320]}
  when: {integers: [1, 6]}
moves:
  - {tick: $when, firms.nanyuan.price: $price}
maximise: [cumulative_profit.nanyuan]
futures:
  firms.eton.strategy.depth: {uniform: [0, 0.3]}
search: {population: 6, generations: 3, futures: 3, finalists: 2, fresh: 6}
"""


def optimise(asked, out=None, **more):
    """Search in this process: starting workers takes longer than these searches."""
    return optimising.optimise(asked, out, **{"jobs": 0, **more})


def study(write, old="", new="", name="plan.yaml"):
    assert old in STUDY
    return read_record(write(STUDY.replace(old, new) if old else STUDY, name), Optimisation)


def searched(search, worth, generations):
    seen, told = [], []
    for _ in range(generations):
        points = search.ask()
        assert ((points >= 0) & (points < 1)).all()
        values = np.array([worth(point) for point in points], dtype=float).reshape(len(points), -1)
        search.tell(values)
        seen.append(points)
        told.append(values)
    return np.concatenate(seen), np.concatenate(told)


class TestSearch:
    def test_a_bowl(self):
        target = np.array([0.3, 0.8, 0.5])
        points, values = searched(DifferentialEvolution(3, 15, seed=1), lambda p: ((p - target) ** 2).sum(), 60)
        np.testing.assert_allclose(points[values.argmin()], target, atol=0.01)

    def test_many_valleys(self):
        # Rastrigin's function in two dimensions: 100 valleys, the deepest at .5 (scaled).
        def rastrigin(p):
            x = (p - 0.5) * 10
            return 20 + (x**2 - 10 * np.cos(2 * np.pi * x)).sum()

        _, values = searched(DifferentialEvolution(2, 20, seed=3), rastrigin, 80)
        assert values.min() < 0.1

    def test_the_same_seed_is_the_same_search(self):
        runs = [searched(DifferentialEvolution(2, 8, seed=5), lambda p: p.sum(), 5)[0] for _ in range(2)]
        np.testing.assert_array_equal(*runs)
        assert not np.array_equal(runs[0], searched(DifferentialEvolution(2, 8, seed=6), lambda p: p.sum(), 5)[0])

    def test_a_known_front(self):
        pytest.importorskip("pymoo")

        # Schaffer's problem: x^2 and (x - 2)^2 for x from -10 to 10; the front is x from 0 to 2.
        def schaffer(p):
            x = 20 * p[0] - 10
            return [x**2, (x - 2) ** 2]

        points, values = searched(Nsga(1, 20, 1, 2), schaffer, 25)
        best = 20 * points[nondominated(values), 0] - 10
        assert best.min() > -0.01 and best.max() < 2.01 and len(best) > 20

    @settings(max_examples=30, deadline=None)
    @given(st.integers(0, 10**6), st.integers(1, 40), st.integers(1, 3))
    def test_nobody_beats_the_front(self, seed, count, aims):
        values = np.random.default_rng(seed).integers(0, 6, size=(count, aims)).astype(float)
        kept = nondominated(values)
        assert kept.any()
        for i in range(count):
            beaten = ((values <= values[i]).all(axis=1) & (values < values[i]).any(axis=1)).any()
            assert not (kept[i] and beaten)
            assert kept[i] or beaten or (values[kept] == values[i]).all(axis=1).any()
        picked = spread_out(values[kept], 3)
        assert len(set(picked)) == len(picked) == min(3, kept.sum())


class TestStudyFile:
    @pytest.mark.parametrize(
        ("old", "new", "line", "words"),
        [
            ("firm: nanyuan", "firm: nanyuang", 3, "nanyuan"),
            ("strategy.training", "strategy.trainings", 5, "training"),
            ("uniform: [0, 20]", "uniform: [0, 1e12]", 5, "between"),
            ("price: $price", "price: $prize", 7, "Did you mean price"),
            ("  - {tick: $when, firms.nanyuan.price: $price}", "  - {tick: $when}", 7, "a move has a tick"),
            ("maximise: [cumulative_profit.nanyuan]", "maximise: []", 11, "maximise"),
            ("maximise: [cumulative_profit.nanyuan]", "maximise: [profits.nanyuan]", 11, "profit"),
            (
                "maximise: [cumulative_profit.nanyuan]",
                "minimise: [churn.nanyuan]\nrequire: {open: 1}",
                12,
                "comparison",
            ),
            (
                "futures:\n  firms.eton.strategy.depth: {uniform: [0, 0.3]}",
                "discover: {against: own}",
                12,
                "no futures",
            ),
            ("{uniform: [0, 0.3]}", "{uniform: [0, 3]}", 13, "between 0 and 1"),
            ("population: 6", "population: 2", 14, "at least 5"),
            ("firm: nanyuan", "firm: nanyuan\nconstraints: [prize > 3]", 4, "price"),
        ],
    )
    def test_mistakes(self, write, old, new, line, words):
        with pytest.raises(StudyError) as caught:
            study(write, old, new)
        (problem, *_) = caught.value.errors
        told = caught.value.render("en")
        assert any(word in told for word in words.split("|")), told
        assert problem.line == line, told
        assert caught.value.render("zh") != told

    def test_requirements(self):
        one = Requirement.read("share.nanyuan@1-8 >= 0.25", 0.9)
        assert (one.text, one.sign, one.bound) == ("share.nanyuan@1-8", ">=", 0.25)
        assert one.holds(np.array([0.2, 0.25])).tolist() == [False, True]

    def test_a_plan_is_carried_out(self, write):
        asked = study(write)
        plan = asked.plan(np.array([0.5, 0.9, 0.5, 0.99]))
        assert plan["firms.nanyuan.strategy.level"] == "proactive" and plan["when"] == 6
        made = asked.with_plan(plan, {"firms.eton.strategy.depth": 0.1})
        assert made.firms["nanyuan"].strategy.training == 10 and made.firms["eton"].strategy.depth == 0.1
        assert [(move.tick, move.changes) for move in made.moves] == [(6, {"firms.nanyuan.price": 300})]

    def test_the_published_one_fits(self):
        asked = read_record("optimise_nanyuan", Optimisation)
        assert asked.title and asked.discover is not None and asked.most_runs < 6000


class TestOptimise:
    def test_the_answer(self, write, tmp_path):
        asked = study(write)
        told = []
        answer = optimise(asked, tmp_path, progress=lambda done, total: told.append((done, total)))
        assert answer.runs <= asked.most_runs and all(done <= total for done, total in told)
        assert len(answer.front) == 1 and answer.candidates <= 18
        assert answer.history == sorted(answer.history)
        gain, share = answer.best.gains["nothing"]["cumulative_profit.nanyuan"]
        assert gain.low < gain.value < gain.high and gain.runs == 6 and 0 <= share <= 1
        # A paired difference is the difference of the means.
        means = [one.objectives["cumulative_profit.nanyuan"].value for one in (answer.best, answer.others["nothing"])]
        assert abs(gain.value - (means[0] - means[1])) < 1e-6 * abs(means[0])
        again = optimise(asked, tmp_path)
        assert again.runs == 0
        assert json.dumps(as_json(again)) == json.dumps(as_json(answer))
        assert list(front_frame(answer)["kind"]) == ["front", "nothing", "own"]

    def test_a_stopped_search_goes_on(self, write, tmp_path):
        asked = study(write)
        whole = optimise(asked)

        def stop(done, total):
            if done > 20:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            optimise(asked, tmp_path, progress=stop)
        assert (tmp_path / "study.sqlite").is_file()
        rest = optimise(asked, tmp_path)
        assert 0 < rest.runs < whole.runs
        assert json.dumps(as_json(rest)) == json.dumps(as_json(whole))

    def test_futures_are_the_same_for_all_and_fresh_ones_are_others(self, write):
        from churnsim.studies.bench import Bench
        from churnsim.studies.campaign import Means
        from churnsim.studies.optimise import _Trial

        asked = study(write)
        with Bench(asked.study, "optimise", means=Means(jobs=0)) as bench:
            self.futures_of(asked, _Trial(asked, bench, lambda done, total: None))

    def futures_of(self, asked, trial):
        parts = [trial.futures(5, part) for part in range(4)]
        assert parts[0] == trial.futures(5, 0)
        seeds = [seed for part in parts for _, seed in part]
        assert len(set(seeds)) == len(seeds)
        depths = [future["firms.eton.strategy.depth"] for part in parts for future, _ in part]
        assert len(set(depths)) == len(depths)
        plan = asked.plan(np.full(4, 0.3))
        values = trial.outcomes([plan, plan], parts[0])
        np.testing.assert_array_equal(values[0], values[1])

    def test_limits_are_kept(self, write):
        asked = study(write, "firm: nanyuan", "firm: nanyuan\nconstraints: [price <= 290, when > 2]")
        plan = optimise(asked).best.plan
        assert plan["price"] <= 290 and plan["when"] > 2

    def test_what_cannot_be_fulfilled(self, write):
        asked = study(write, "firm: nanyuan", "firm: nanyuan\nrequire: {share.nanyuan >= 0.99: 1}")
        with pytest.raises(StudyError, match="no candidate"):
            optimise(asked)

    @pytest.mark.slow
    def test_the_worst_fifth(self, write):
        mean = optimise(study(write)).others["own"].objectives["cumulative_profit.nanyuan"]
        worst = optimise(study(write, "firm: nanyuan", "firm: nanyuan\nrobust: worst_fifth"))
        other = worst.others["own"].objectives["cumulative_profit.nanyuan"]
        assert other.value < mean.value and other.low <= other.value <= other.high

    def test_several_objectives(self, write):
        pytest.importorskip("pymoo")
        aims = "maximise: {profit: cumulative_profit.nanyuan, share: share.nanyuan}\nminimise: [price.nanyuan]"
        asked = study(write, "maximise: [cumulative_profit.nanyuan]", aims)
        answer = optimise(asked)
        values = np.array([[-one.objectives["profit"].value, -one.objectives["share"].value,
                            one.objectives["price.nanyuan"].value] for one in answer.front])  # fmt: skip
        assert nondominated(values).all()
        assert as_json(answer)["objectives"] == {"profit": "maximise", "share": "maximise", "price.nanyuan": "minimise"}

    def test_when_the_answer_flips(self, write):
        asked = study(write, "firm: nanyuan", "firm: nanyuan\ndiscover: {against: own, futures: 20, replications: 2}")
        answer = optimise(asked)
        assert len(answer.flips) == 20 and answer.flips["worse"].isin([0, 0.5, 1]).all()
        assert abs(answer.flip.base - answer.flips["worse"].mean()) < 1e-12


class TestCommand:
    def test_json_and_figures(self, cli, write):
        text = STUDY.replace(
            "firm: nanyuan", "firm: nanyuan\ndiscover: {against: nothing, futures: 20, replications: 1}"
        )
        text = text.replace("futures:\n", "futures:\n  customers.switching_cost.mean: {uniform: [20, 220]}\n")
        folder = write(text, "plan.yaml").parent
        answer = cli("optimise", "plan.yaml", "--jobs", "0", "--json", "--plot", "figs")
        assert answer.code == 0, answer.err
        said = answer.json
        assert set(said["best"]["plan"]) == {"firms.nanyuan.strategy.training", "firms.nanyuan.strategy.level",
                                             "price", "when"}  # fmt: skip
        assert set(said["best"]["against"]) == {"nothing", "own"}
        assert {"promised", "real", "optimism"} == set(said["best"]["optimism"]["cumulative_profit.nanyuan"])
        assert {file.name for file in (folder / "figs").iterdir()} == {"gain.png", "tradeoff.png", "box.png"}
        assert (folder / said["out"] / "futures.csv").is_file()

    def test_words(self, cli, write):
        write(STUDY, "plan.yaml")
        english = cli("optimise", "plan.yaml", "--jobs", "0")
        assert "Answer: " in english.out and "doing nothing" in english.out
        assert "答案" in cli("optimise", "plan.yaml", "--jobs", "0", "--lang", "zh").out

    def test_dry_run_and_bad_input(self, cli, write):
        folder = write(STUDY, "plan.yaml").parent
        assert cli("optimise", "plan.yaml", "--jobs", "0", "--dry-run", "--json").json["runs"] > 0
        assert not (folder / "results").exists()
        write(STUDY.replace("firm: nanyuan", "firm: hilton"), "plan.yaml")
        answer = cli("optimise", "plan.yaml", "--jobs", "0")
        assert answer.code == 2 and "nanyuan" in answer.err
        write(STUDY.replace("generations: 3", "generation: 3"), "plan.yaml")
        answer = cli("optimise", "plan.yaml", "--jobs", "0")
        assert answer.code == 2 and "Did you mean generations?" in answer.err and "population" in answer.err

    def test_everything_is_told_at_once(self, cli, write):
        wrong = STUDY.replace("firm: nanyuan", "firm: nanyuann").replace(
            "[cumulative_profit.nanyuan]", "[profitt.nanyuan]"
        )
        wrong = wrong.replace(
            "futures:\n",
            "futures:\n  customers.taste.sdd: {uniform: [1, 2]}\n  customers.taste.sd: {uniform: [-5, 3]}\n",
        )
        write(wrong, "plan.yaml")
        answer = cli("optimise", "plan.yaml", "--dry-run")
        assert answer.code == 2 and "has 4 problems" in answer.err and "docs/optimisation.md" in answer.err
        for words in ("nanyuan?", "profit?", "sd?", "not -5"):
            assert words in answer.err

    def test_without_a_plan_the_runs_are_kept(self, cli, write):
        write(STUDY + "require: {open.nanyuan >= 2: 0.9}\n", "plan.yaml")
        answer = cli("optimise", "plan.yaml", "--jobs", "0", "--quiet")
        assert answer.code == 2 and "no candidate fulfils" in answer.err
        assert "Nothing was run" not in answer.err and "What was run is kept" in answer.err
        assert cli("optimise", "plan.yaml", "--dry-run", "--json").json["done"] > 0

    def test_dry_run_says_what_is_done(self, cli, write):
        write(STUDY, "plan.yaml")
        assert cli("optimise", "plan.yaml", "--dry-run", "--json").json["done"] == 0
        assert cli("optimise", "plan.yaml", "--jobs", "0", "--quiet").code == 0
        answer = cli("optimise", "plan.yaml", "--dry-run")
        assert "already; none of these is run again" in answer.out
        done = cli("optimise", "plan.yaml", "--dry-run", "--json").json
        assert 0 < done["done"] <= done["runs"]

    def test_figures_name_what_they_show(self, cli, write, monkeypatch):
        from churnsim.plots import optimisation as pictures

        drawn = []
        monkeypatch.setattr(pictures, "gains", lambda rows, **more: drawn.append((rows, more)) or _gains(rows, **more))
        write(STUDY, "plan.yaml")
        assert cli("optimise", "plan.yaml", "--jobs", "0", "--quiet", "--plot", "figures", "--lang", "zh").code == 0
        rows, more = drawn[0]
        assert set(rows["objective"]) == {"南苑大酒店的累计利润"} and more["measure"] == "cumulative_profit"
        ax = _gains(rows, **more)
        ax.figure.canvas.draw()
        assert any("¥" in label.get_text() for label in ax.get_xticklabels())

    def test_several_objectives_need_pymoo_before_anything_is_written(self, cli, write, monkeypatch):
        monkeypatch.setattr("churnsim.studies.optimisation.find_spec", lambda name: None)
        two = STUDY.replace("[cumulative_profit.nanyuan]", "[cumulative_profit.nanyuan, share.nanyuan]")
        folder = write(two, "plan.yaml").parent
        answer = cli("optimise", "plan.yaml", "--jobs", "0")
        assert answer.code == 2 and "churnsim[optimise]" in answer.err and "11 |" in answer.err
        assert not (folder / "results").exists()


def test_the_guide_is_executed(tmp_path, monkeypatch):
    import re

    from conftest import ROOT

    monkeypatch.chdir(tmp_path)
    guide = (ROOT / "docs" / "optimisation.md").read_text(encoding="utf-8")
    found = re.findall(r"^```(yaml|python)\n(.*?)^```", guide, flags=re.MULTILINE | re.DOTALL)
    assert {kind for kind, _ in found} == {"yaml", "python"}
    for kind, block in found:
        if kind == "yaml":
            name = re.match(r"# (\w+\.yaml)\n", block)[1]
            (tmp_path / name).write_text(block, encoding="utf-8")
        else:
            exec(compile(block, "optimisation.md", "exec", dont_inherit=True), {"__name__": "guide"})
