"""Generated data: what the firm sees agrees with the truth, and the truth with the model."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import churnsim as cs
from churnsim.causes import CAUSE_NAMES
from churnsim.ground_truth import GroundTruthError, plan_of
from churnsim.ground_truth.tables import BY_NAME, TABLES, dictionary
from churnsim.i18n import text
from churnsim.model import ChurnModel, simulate
from conftest import ROOT

HOTELS = cs.load("two_hotels").set({"customers.count": 2_000, "burn_in": 12, "horizon": 30})
CUT = {"cut": HOTELS.move(7, firm="nanyuan", price=255)}
WINDOW = {"snapshot": 6, "history": 6, "outcome": 4}


@pytest.fixture(scope="module")
def hotels(tmp_path_factory):
    return cs.generate(HOTELS, tmp_path_factory.mktemp("hotels") / "data", treatments=CUT, **WINDOW)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


# ---------------------------------------------------------------------- files


def test_the_command_answers_as_promised(cli):
    words = ("--customers", 1000, "--set", "burn_in=4", "--history", 3, "--snapshot", 3, "--outcome", 2)
    answer = cli("generate", "two_hotels", *words, "--out", "data", "--json", "-q")
    assert answer.code == 0, answer.err
    assert answer.json["out"] == "data"
    assert set(answer.json["tables"]) == {table.title for table in TABLES}
    for table in TABLES:
        file = pq.ParquetFile(Path("data") / table.path)
        assert file.metadata.num_rows == answer.json["tables"][table.title]
        assert file.schema_arrow.names == [column.name for column in table.columns]


def test_every_column_is_explained_in_both_languages(hotels):
    described = json.loads((hotels.out / "schema.json").read_text(encoding="utf-8"))
    assert described == dictionary("CNY", "month")
    for table in TABLES:
        assert set(described[table.title]["columns"]) == set(hotels[table.name].columns)
        for column in table.columns:
            assert text(column.text_key(table.name), "en") != text(column.text_key(table.name), "zh")


RANGES = {
    "0 to 1": (0, 1), "1 to 10": (1, 10), "share": (-1e-6, 1 + 1e-6), "per tick": (0, 1), "per occasion": (0, 1),
    "per look around": (0, 1), "number": (0, np.inf), "ticks": (0, np.inf),
}  # fmt: skip
SIGNED = {"taste"}


def test_values_are_within_what_their_unit_says_and_missing_only_where_announced(hotels, tmp_path):
    dealing = cs.load("complaint_table").set({"customers.count": 1_500, "burn_in": 4, "horizon": 8})
    dealings = cs.generate(dealing, tmp_path / "data", history=5, snapshot=5, outcome=1)
    for data in (hotels, dealings):
        for table in TABLES:
            frame = data[table.name]
            for column in table.columns:
                values = frame[column.name]
                assert column.missing or not values.isna().any(), (table.name, column.name)
                money = (0, np.inf) if column.unit.startswith("currency") else None
                signed = column.name in SIGNED or column.family == "barriers"
                bounds = RANGES.get(column.unit, None if signed else money)
                if bounds is not None:
                    assert values.dropna().between(*bounds).all(), (table.name, column.name)
        known = set(data["customers"]["customer"])
        for name in ("labels", "effects", "states"):
            assert set(data[name]["customer"]) <= known


def test_the_page_explains_every_table_and_column():
    page = (ROOT / "docs" / "ground_truth.md").read_text(encoding="utf-8")
    for table in TABLES:
        part = page.split(f"### `{table.path}`")[1].split("\n### ")[0]
        for column in table.columns:
            if column.family is None:
                assert f"`{column.name}`" in part, f"{table.name}.{column.name}"


def test_nothing_of_the_truth_is_in_what_the_firm_sees(hotels):
    firm = {file.name for file in hotels.out.iterdir()}
    assert firm == {table.path for table in TABLES if not table.truth} | {"data.json", "schema.json", "truth"}
    assert not {column for table in TABLES if not table.truth for column in hotels[table.name].columns} & {
        "hazard", "left", "cause", "left_0", "with_firm", "quality_value"
    }  # fmt: skip


def test_again_is_the_same_bytes_for_any_number_of_threads(hotels, tmp_path):
    again = cs.generate(HOTELS, tmp_path / "data", treatments=CUT, threads=2, **WINDOW)
    assert again.tables == hotels.tables
    assert contents(again.out) == contents(hotels.out)
    other = cs.generate(HOTELS, tmp_path / "data", treatments=CUT, seed=2, **WINDOW)
    assert contents(other.out)["labels.parquet"] != contents(hotels.out)["labels.parquet"]


def test_interrupted_leaves_what_was_there(tmp_path):
    small = HOTELS.set({"customers.count": 1_000, "burn_in": 2})
    cs.generate(small, tmp_path / "data", **WINDOW)
    before = contents(tmp_path)

    def stop(done: int, total: int) -> None:
        if done > total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cs.generate(small, tmp_path / "data", seed=3, progress=stop, **WINDOW)
    assert contents(tmp_path) == before


def test_other_folders_are_left_alone(tmp_path, cli):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(GroundTruthError, match="something else"):
        cs.generate(HOTELS, tmp_path / "mine", **WINDOW)
    answer = cli("generate", "two_hotels", "--customers", 1000, "--out", tmp_path / "mine")
    assert answer.code == 2
    assert (tmp_path / "mine" / "thesis.txt").exists()


# ---------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"customers": 10}, "customers is 10; it must be from 1000 to 10000000"),
        ({"firm": "etan"}, "did you mean 'eton'"),
        ({"snapshot": 29}, "snapshot is 29; it must be from 0 to 24"),
        ({"outcome": 31}, "outcome is 31"),
        ({"churn": "loud"}, "one of silent, visible"),
        ({"surveyed": 2}, "surveyed is 2"),
        ({"treated": -1}, "treated is -1"),
        ({"targeting": 11}, "targeting is 11; it must be from -10 to 10"),
        ({"customers": 10**9}, "customers is 1000000000; it must be from 1000 to 10000000"),
        ({"treatments": ["both_passive"]}, "differs from the scenario in tick 12 or before"),
        ({"treatments": {"none": HOTELS.move(13, firm="eton", price=1)}}, "cannot be called 'none'"),
        ({"treatments": {"same": HOTELS}}, "changes nothing"),
        ({"treatments": {"deals": HOTELS.move(13, {"mechanisms.failure": True})}}, "mechanisms of dealings"),
        ({"treatments": {"longer": HOTELS.set({"horizon": 40})}}, "another horizon"),
    ],
)
def test_bad_input_is_refused_before_anything_runs(options, message, tmp_path):
    with pytest.raises(GroundTruthError, match=message) as refused:
        cs.generate(HOTELS, tmp_path / "data", **options)
    assert any("一" <= letter <= "鿿" for letter in refused.value.say("zh"))
    assert not list(tmp_path.iterdir())


def test_short_scenarios_are_observed_for_as_long_as_they_last():
    plan = plan_of(cs.load("complaint_table").set({"customers.count": 1_000}))
    assert (plan.history, plan.snapshot, plan.outcome) == (1, 1, 1)
    plan = plan_of(cs.load("two_hotels"))
    assert (plan.history, plan.snapshot, plan.outcome) == (12, 12, 6)


def test_bad_input_ends_the_command_with_2(cli):
    answer = cli("generate", "two_hotels", "--customers", 2000, "--firm", "etn", "--out", "data")
    assert answer.code == 2
    assert "did you mean 'eton'" in answer.err
    answer = cli("generate", "two_hotels", "--treatment", "tick=13 firm=eton prise=1", "--out", "data")
    assert answer.code == 2
    assert "Did you mean price" in answer.err


# ---------------------------------------------------------------------- the truth


def test_hazards_of_the_logit_with_inertia_are_the_closed_form(tmp_path):
    """P(leave j) = opportunity (1 - e^k w_j / (W + (e^k - 1) w_j)), written down here once more (A2, A3)."""
    scenario = cs.load("inertia_limit").set({"customers.count": 1_000, "burn_in": 2})
    weights = {"first": np.exp(-0.8), "second": np.exp(-1.0), "third": np.exp(-1.5)}
    inertia = np.exp(1.3)
    for firm, weight in weights.items():
        data = cs.generate(scenario, tmp_path / firm, firm=firm, history=2, snapshot=2, outcome=1)
        stays = inertia * weight / (sum(weights.values()) + (inertia - 1) * weight)
        np.testing.assert_allclose(data["hazards"]["hazard"], 0.5 * (1 - stays), rtol=1e-5)


CHECKED = ("two_hotels", "complaint_table", "credit_screening", "portuguese_buyer", "wyeth_lifecycle", "reminders")


@pytest.mark.parametrize("name", CHECKED)
def test_as_many_leave_as_the_hazards_say(name, tmp_path):
    """In all and in each fifth by hazard, departures are within 4 standard errors of the sum of the hazards."""
    scenario = cs.load(name).set({"customers.count": 1_500, "burn_in": 6, "horizon": 8, "seed": 5})
    data = cs.generate(scenario, tmp_path / "data", history=6, snapshot=6, outcome=2)
    found = data["hazards"].sort_values("hazard")
    forced = data["departures"]["cause"].isin(CAUSE_NAMES[26:]).sum()
    sure = found["involuntary"].astype(float)
    assert abs(forced - sure.sum()) <= 4 * np.sqrt((sure * (1 - sure)).sum()) + 1e-3
    assert len(found) > 1_000
    for rows in (slice(None), *np.array_split(np.arange(len(found)), 5)):
        part = found.iloc[rows]
        hazard = part["hazard"].astype(float)
        assert abs(part["left"].sum() - hazard.sum()) <= 4 * np.sqrt((hazard * (1 - hazard)).sum()) + 1e-3
    np.testing.assert_allclose(found["hazard"], found["voluntary"] + found["involuntary"], atol=1e-6)


def test_departures_are_those_of_the_model(hotels):
    """Up to the snapshot every departure has the cause that the model's own record gives it."""
    record = simulate(HOTELS, HOTELS.seed, departures=True)
    found = hotels["departures"]
    shares = found[list(CAUSE_NAMES)].to_numpy(float)
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-5)
    assert (found["cause"].to_numpy() == np.array(CAUSE_NAMES)[shares.argmax(axis=1)]).all()
    play = record.ticks
    for tick in range(1, 7):
        mine = found[found["tick"] == tick]["cause"].value_counts()
        counted = dict(zip(CAUSE_NAMES, record.primary[play == tick][0, 0], strict=True))
        assert {name: int(mine.get(name, 0)) for name in CAUSE_NAMES} == {k: int(v) for k, v in counted.items()}
    hazards = hotels["hazards"]
    assert hazards["left"].sum() == len(found)


def test_transactions_are_the_revenue_of_the_books(tmp_path):
    for name, arm in (("powerful_customers", "case"), ("promotion_effects", "stock"), ("complaint_table", "case")):
        scenario = cs.load(name).arm(arm).set({"customers.count": 1_500, "burn_in": 4, "horizon": 8})
        firm = next(iter(scenario.firms))
        data = cs.generate(scenario, tmp_path / name, history=5, snapshot=5, outcome=1, treated=0)
        record = simulate(scenario, scenario.seed)
        paid = data["transactions"].groupby("tick")["amount"].sum()
        for tick in range(1, 7):
            revenue = record.measures["revenue"][record.ticks == tick][0, 0]
            assert paid[tick] == pytest.approx(revenue, rel=1e-4), (name, tick, firm)


def test_complaints_and_contacts_are_those_of_the_model(tmp_path, hotels):
    scenario = cs.load("complaint_table").set({"customers.count": 1_500, "burn_in": 4, "horizon": 8})
    data = cs.generate(scenario, tmp_path / "data", history=5, snapshot=5, outcome=1, treated=0)
    record = simulate(scenario, scenario.seed)
    played = (record.ticks >= 1) & (record.ticks <= 6)
    assert len(data["complaints"]) == record.dealings["complaints"][played, 0].sum() > 0
    failed = sum(record.dealings[name][played, 0].sum() for name in ("core_failures", "encounter_failures"))
    assert len(data["failures"]) == failed
    assert data["failures"]["voiced"].sum() == len(data["complaints"])
    # At the proactive level everybody with the firm gets one contact a month, or with luck none where money is short.
    record = simulate(HOTELS, HOTELS.seed)
    contacts, customers = hotels["contacts"].query("tick <= 6"), hotels["hazards"].query("tick <= 6")
    assert (contacts["kind"] == "relationship").all()
    for tick in range(1, 7):
        wished = record.measures["contacts"][record.ticks == tick][0, 0]
        served = customers[customers["tick"] == tick]["customer"]
        made = contacts[contacts["tick"] == tick]
        made = made.loc[made["customer"].isin(served), "number"].sum()
        rest = wished % 1
        assert abs(made - wished * len(served)) <= 4 * np.sqrt(len(served) * rest * (1 - rest)) + 1e-6


def test_letters_do_not_tell_who_has_left(hotels):
    """Of those whom the firm counts, the gone get as many letters as the others: their absence is not a label."""
    contacts = hotels["contacts"]
    assert (contacts["kind"] == "relationship").all()
    states = hotels["states"].set_index("customer")["with_firm"]
    bought = hotels["transactions"].query("tick <= 6").groupby("customer")["tick"]
    # Who bought in tick 6 for the first time in months was not counted when its letters went out.
    counted = bought.apply(lambda ticks: ticks.between(3, 5).any())
    counted = counted.index[counted & counted.index.isin(hotels["labels"]["customer"])]
    number = contacts[contacts["tick"] == 6].set_index("customer")["number"].reindex(counted).fillna(0)
    stays = states.reindex(counted)
    assert (~stays).sum() > 50 and number.mean() > 0.5
    error = np.sqrt(sum(part.var() / len(part) for part in (number[stays], number[~stays])))
    assert abs(number[stays].mean() - number[~stays].mean()) <= 4 * error


def test_how_a_customer_came_is_known_when_it_has_left(tmp_path):
    scenario = cs.load("referral_2000").set({"customers.count": 2_000, "horizon": 12})
    data = cs.generate(scenario, tmp_path / "data", history=6, snapshot=8, outcome=2, treated=0, churn="silent")
    referred = data["customers"].set_index("customer")["referred"]
    stays = data["states"].set_index("customer")["with_firm"]
    assert (referred & stays).sum() > 0 and (referred & ~stays).sum() > 0


def test_offers_are_those_that_the_firm_made(tmp_path):
    scenario = cs.load("win_back_offers").set({"customers.count": 1_500, "horizon": 6})
    data = cs.generate(scenario, tmp_path / "data", history=4, snapshot=4, outcome=2, treated=0)
    record = simulate(scenario, scenario.seed)
    offers = data["contacts"].query("kind == 'offer'").groupby("tick").size()
    for tick in range(1, 7):
        row = record.ticks == tick
        made = sum(record.dealings[name][row][0, 0] for name in ("offers", "save_offers"))
        assert offers.get(tick, 0) == made
    assert offers.sum() > 0


def test_each_customer_is_followed_in_both_worlds(hotels):
    """Y1 of everybody is what the treated world gives when it is run by itself, and Y0 the untreated one."""
    effects = hotels["effects"]
    for world, scenario in enumerate((HOTELS, CUT["cut"])):
        model = ChurnModel(scenario, rng=HOTELS.seed)
        while model.tick < 6:
            model.step()
        cohort = effects["customer"].to_numpy()
        ids = (cohort & 0xFFFFFFFF).astype(np.intp)
        gone = model.columns.provider[ids] != 1
        bought = np.zeros(cohort.size, np.int64)
        for _ in range(4):
            model.step()
            gone |= (model.columns.provider[ids] != 1) | (model.columns.exit[ids] == 1)
            bought += (model.columns.choice[ids] == 1) & ~(model.columns.exit[ids] == 1)
        np.testing.assert_array_equal(effects[f"left_{world}"], gone)
        # A newcomer in the same place may have bought; nobody else's purchases differ.
        differs = effects[f"purchases_{world}"].to_numpy() != bought
        assert differs.sum() <= 3 and (gone[differs]).all()


def test_labels_are_the_outcome_under_the_treatment_that_was_given(hotels):
    labels = hotels["labels"].merge(hotels["effects"], on="customer", suffixes=("", "_effect"))
    treated = labels["treatment"] == "cut"
    assert 0.4 < treated.mean() < 0.6
    np.testing.assert_array_equal(labels["churned"], np.where(treated, labels["churned_1"], labels["churned_0"]))
    # Silent churn: the label is inactivity in the log itself.
    after = hotels["transactions"].query("tick > 6")
    assert (labels["churned"] == ~labels["customer"].isin(after["customer"])).all()
    assert set(labels["customer"]) == set(hotels["customers"].query("active")["customer"])
    # A cut of 15 % keeps more customers than it drives away.
    assert labels["left_1"].mean() < labels["left_0"].mean()


def test_targeting_confounds_as_much_as_the_propensities_say(tmp_path, hotels):
    data = cs.generate(HOTELS, tmp_path / "data", treatments=CUT, targeting=3, **WINDOW)
    effects = data["effects"].set_index("customer")
    treated = data["labels"].set_index("customer")["treatment"] == "cut"
    chance = effects["propensity"]
    # In each fourth as many are treated as the propensities say, and these follow what was spent.
    for rows in np.array_split(chance.sort_values(kind="stable").index, 4):
        p = chance[rows]
        assert abs(treated[rows].sum() - p.sum()) <= 4 * np.sqrt((p * (1 - p)).sum())
    spend = data["customers"].set_index("customer")["spend"]
    assert chance.corr(spend.reindex(chance.index), "spearman") == pytest.approx(1)
    rank = spend.rank().sub(0.5).div(len(spend)).reindex(chance.index)
    np.testing.assert_allclose(np.log(chance / (1 - chance)), 3 * (rank - 0.5), atol=1e-9)
    # Nothing but the lot differs, and without targeting everybody has the same chance.
    for name in ("hazard_0", "hazard_1", "left_0", "left_1", "spend_1"):
        pd.testing.assert_series_equal(effects[name], hotels["effects"].set_index("customer")[name])
    assert (hotels["effects"]["propensity"] == 0.5).all()


def test_propensities_undo_what_targeting_does(tmp_path):
    """The plain difference of the groups is off by more than 4 standard errors, the weighted one by less."""
    scenario = HOTELS.set({"customers.count": 15_000})
    cut = {"cut": scenario.move(7, firm="nanyuan", price=255)}
    data = cs.generate(scenario, tmp_path / "data", treatments=cut, targeting=4, surveyed=0, **WINDOW)
    effects, labels = data["effects"], data["labels"]
    assert (effects["customer"] == labels["customer"]).all()
    treated, chance = (labels["treatment"] == "cut").to_numpy(), effects["propensity"].to_numpy()
    churned = labels["churned"].to_numpy(float)
    weight = np.where(treated, 1 / chance, 1 / (1 - chance))

    def difference(weight: np.ndarray) -> tuple[float, float]:
        means = [np.average(churned[arm], weights=weight[arm]) for arm in (~treated, treated)]
        off = [weight[arm] * (churned[arm] - mean) for arm, mean in zip((~treated, treated), means, strict=True)]
        squares = [(part**2).sum() / weight[arm].sum() ** 2 for part, arm in zip(off, (~treated, treated), strict=True)]
        return means[0] - means[1], np.sqrt(sum(squares))

    true = effects["churned_0"].mean() - effects["churned_1"].mean()
    plain, weighted = difference(np.ones(chance.size)), difference(weight)
    assert abs(plain[0] - true) > 4 * plain[1]
    assert abs(weighted[0] - true) < 4 * weighted[1] < abs(plain[0] - true)


def test_several_treatments_share_the_propensity(tmp_path):
    small = HOTELS.set({"customers.count": 1_000, "burn_in": 2})
    several = {"cut": small.move(7, firm="nanyuan", price=255), "rise": small.move(7, firm="nanyuan", price=330)}
    data = cs.generate(small, tmp_path / "data", treatments=several, treated=0.6, targeting=-2, **WINDOW)
    effects = data["effects"]
    per = effects.groupby("treatment", observed=True)["propensity"]
    assert list(per.mean()) == pytest.approx([per.mean().iloc[0]] * 2) and 0.1 < effects["propensity"].min()
    labels = data["labels"]["treatment"]
    for name, p in effects.groupby("treatment", observed=True)["propensity"]:
        assert abs((labels == name).sum() - p.sum()) <= 4 * np.sqrt((p * (1 - p)).sum())


def test_the_effect_on_leaving_at_once_is_expected_to_be_that_of_the_hazards(tmp_path):
    """With an outcome of one tick, as many leave in each world as its hazards say, in all and in each third."""
    data = cs.generate(HOTELS, tmp_path / "data", treatments=CUT, snapshot=6, history=6, outcome=1)
    effects = data["effects"]
    assert (effects["hazard_0"].isna() == (effects["hazard_1"].isna())).all()
    assert effects.loc[effects["hazard_0"].isna(), ["left_0", "left_1"]].all(axis=None)
    effects = effects.dropna(subset="hazard_0").sort_values("hazard_0")
    for world in (0, 1):
        for rows in (slice(None), *np.array_split(np.arange(len(effects)), 3)):
            hazard = effects[f"hazard_{world}"].iloc[rows].astype(float)
            off = effects[f"left_{world}"].iloc[rows].sum() - hazard.sum()
            assert abs(off) <= 4 * np.sqrt((hazard * (1 - hazard)).sum())
    assert (effects["hazard_1"] < effects["hazard_0"]).mean() > 0.99  # a cut of 15 % keeps
    # The records of the untreated have the same hazard in the untreated world.
    hazards = data["hazards"].query("tick == 7").set_index("customer")["hazard"]
    untreated = data["labels"].query("treatment == 'none'")["customer"]
    mine = effects.set_index("customer")["hazard_0"]
    mine = mine[mine.index.isin(untreated)]
    assert (mine == hazards.reindex(mine.index)).all()


def test_visible_churn_is_labelled_on_the_day(tmp_path):
    scenario = cs.load("telecom_contract").set({"customers.count": 1_000})
    plan = plan_of(scenario, history=3, snapshot=3, outcome=2)
    assert plan.churn == ("visible" if scenario.firms[plan.firm].contract.length else "silent")
    data = cs.generate(scenario, tmp_path / "data", churn="visible", history=3, snapshot=3, outcome=2, treated=0)
    effects = data["effects"]
    np.testing.assert_array_equal(effects["churned_0"], effects["left_0"])
    states = data["states"].set_index("customer")
    active = data["customers"].set_index("customer")["active"]
    assert (states["with_firm"] == active).all()


def test_burn_in_can_be_observed(tmp_path):
    """The case and its control differ from tick 1 on: the snapshot is tick 0."""
    passive = HOTELS.arm("both_passive").set({"customers.count": 1_000})
    treatment = {"case": HOTELS.set({"customers.count": 1_000})}
    data = cs.generate(passive, tmp_path / "data", firm="eton", history=4, snapshot=0, outcome=3, treatments=treatment)
    assert data["hazards"]["tick"].min() == -3
    effects = data["effects"]
    assert effects["left_1"].mean() < effects["left_0"].mean()  # Eton's cut keeps its guests at first


def test_surveys_measure_what_they_ask(tmp_path, hotels):
    answers = hotels["surveys"]
    share = len(answers) / len(hotels["transactions"].query("tick <= 6"))
    assert 0.05 < share < 0.15
    exact = cs.generate(HOTELS, tmp_path / "exact", treatments=CUT, surveyed=1, noise=0, **WINDOW)
    last = exact["surveys"].query("tick == 6").set_index("customer")["satisfaction"]
    true = exact["states"].set_index("customer")["satisfaction"].reindex(last.index)
    np.testing.assert_array_equal(last, np.clip(np.rint(1 + 9 * true.astype(float)), 1, 10))


# ---------------------------------------------------------------------- what it is for


def the_example():
    """Return examples/score_models.py as a module."""
    spec = importlib.util.spec_from_file_location("score_models", ROOT / "examples" / "score_models.py")
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    return example


def test_the_example_scores_models_against_the_truth(tmp_path):
    pytest.importorskip("sklearn")
    example = the_example()
    scenario = HOTELS.set({"customers.count": 8_000, "burn_in": 6})
    treatment = {"cut": scenario.move(13, firm="nanyuan", price=255)}
    data = cs.generate(scenario, tmp_path / "data", treatments=treatment)
    scores = example.score(data.out)
    assert scores["auc_labels"] > 0.65
    # Nothing predicts a departure better than the true hazard of the first tick does, by much.
    assert scores["auc_departures"] < scores["auc_departures_of_true_hazard"] + 0.02
    assert scores["mean_true_effect"] > 0
    assert scores["qini_oracle"] > scores["qini_t_learner"]
    assert scores["uplift_at_20_oracle"] > max(scores["uplift_at_20_t_learner"], scores["mean_true_effect"])


@pytest.mark.slow
def test_the_pages_scores_are_those_of_the_command_it_shows(tmp_path, cli):
    """As rounded there; bounds alone (the test above) let the page grow old when the model moved."""
    sklearn = pytest.importorskip("sklearn")
    page = (ROOT / "docs" / "ground_truth.md").read_text(encoding="utf-8")
    made_with = re.search(r"Made with scikit-learn ([\d.]+\d)", page)[1]
    if sklearn.__version__ != made_with:
        pytest.skip(f"the page's scores were made with scikit-learn {made_with}")
    words = shlex.split(re.search(r"^    churnsim (generate .*\\\n.*)$", page, re.MULTILINE)[1].replace("\\\n", ""))
    assert cli(*words[:-1], str(tmp_path / "data"), "-q").code == 0
    score = the_example().score(tmp_path / "data")
    shown = [row.split(" | ")[1] for row in page.partition("| score |")[2].partition("\n\n")[0].splitlines()[2:]]
    by_row = (
        ["auc_labels"], ["auc_departures"], ["auc_departures_of_true_hazard"], ["rank_correlation_with_true_hazard"],
        ["mean_true_effect"], ["mean_effect_unweighted"],
        ["uplift_at_20_t_learner", "uplift_at_20_by_risk", "uplift_at_20_oracle"],
        ["qini_t_learner", "qini_by_risk", "qini_oracle"], ["qini_t_learner_estimated", "qini_by_risk_estimated"],
        ["squared_error_t_learner", "squared_error_of_the_mean"],
    )  # fmt: skip
    assert len(shown) == len(by_row)
    for cell, names in zip(shown, by_row, strict=True):
        numbers = re.findall(r"\d*\.\d+", cell)
        assert len(numbers) == len(names), cell
        for number, name in zip(numbers, names, strict=True):
            off = abs(float(number) - score[name] * (100 if cell.endswith("points") else 1))
            assert off <= 0.51 * 10.0 ** -len(number.partition(".")[2]), (cell, name, score[name])
    # What the page says of targeting: plain, weighted, true.
    told = re.search(r"with `(--targeting) (\d)` give (.*?) are true", page, re.DOTALL)
    assert cli(*words[:-1], str(tmp_path / "data"), told[1], told[2], "-q").code == 0
    score = the_example().score(tmp_path / "data")
    names = ("mean_effect_unweighted", "mean_effect_by_propensity", "mean_true_effect")
    for number, name in zip(re.findall(r"\d+\.\d", told[3]), names, strict=True):
        assert abs(float(number) - 100 * score[name]) <= 0.051, name


def test_tables_are_read_by_name(hotels):
    assert isinstance(hotels["truth/hazards"], pd.DataFrame)
    assert set(BY_NAME) == {table.name for table in TABLES}
