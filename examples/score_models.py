"""Score a churn classifier and an uplift ranking against the truth that only generated data have.

    churnsim generate two_hotels --customers 40000 --snapshot 24 --treatment "tick=25 firm=nanyuan price=255" --out data
    python examples/score_models.py data

Needs scikit-learn. What a firm sees goes in; what it never sees is used for scoring alone.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

TOP = 0.2
"""Share of customers that a campaign reaches."""


def features(folder: Path) -> pd.DataFrame:
    """Return what the firm knows of its active customers at the snapshot, one row each."""
    about = json.loads((folder / "data.json").read_text(encoding="utf-8"))
    snapshot = about["snapshot"]
    names = ("customers", "transactions", "contacts", "complaints", "surveys")
    tables = {name: pd.read_parquet(folder / f"{name}.parquet") for name in names}
    for name in ("transactions", "contacts", "complaints"):
        tables[name] = tables[name][tables[name]["tick"] <= snapshot]
    known = tables["customers"][tables["customers"]["active"]].set_index("customer")
    table = pd.DataFrame(index=known.index)
    table["recency"] = snapshot - known["last_purchase"].astype(float)
    table["age"] = snapshot - known["first_purchase"].astype(float)
    table["purchases"], table["spend"] = known["purchases"], known["spend"]
    table["contract_left"] = known["contract_left"].astype(float)
    recent = tables["transactions"][tables["transactions"]["tick"] > snapshot - about["history"] // 2]
    table["recent_purchases"] = recent.groupby("customer").size()
    table["contacts"] = tables["contacts"].groupby("customer")["number"].sum()
    table["complaints"] = tables["complaints"].groupby("customer").size()
    answers = tables["surveys"].sort_values("tick").groupby("customer").last()
    table = table.join(answers[["satisfaction", "expectation", "intention"]])
    counts = ["recent_purchases", "contacts", "complaints"]
    table[counts] = table[counts].fillna(0)
    # A customer who never answered is an average one, and is marked as silent.
    table["answered"] = table["satisfaction"].notna().astype(float)
    return table.fillna(table.mean()).fillna(0)


def qini(effect: np.ndarray, score: np.ndarray) -> float:
    """Return the area between a ranking's curve of true gains and that of a random order, per customer.

    Radcliffe (2007) estimates the curve from treated and untreated groups; here each customer's own effect is known.
    """
    gains = np.cumsum(effect[np.argsort(-score, kind="stable")])
    chance = gains[-1] * np.arange(1, effect.size + 1) / effect.size
    return float((gains - chance).mean() / effect.size)


def best_of(effect: np.ndarray, score: np.ndarray, share: float = TOP) -> float:
    """Return the mean true effect among the best by score."""
    return float(effect[np.argsort(-score, kind="stable")][: max(int(share * effect.size), 1)].mean())


def estimated_effect(churned: np.ndarray, treated: np.ndarray, chance: np.ndarray) -> float:
    """Return by how much less the treated churn, each weighted by how improbable its own treatment was (Hajek 1971)."""
    weight = np.where(treated, 1 / chance, 1 / (1 - chance))
    rates = [np.average(churned[arm], weights=weight[arm]) for arm in (~treated, treated)]
    return float(rates[0] - rates[1])


def estimated_qini(churned: np.ndarray, treated: np.ndarray, score: np.ndarray) -> float:
    """Return what a firm would take for `qini`: gains are estimated from the treated and the others among the best."""
    order = np.argsort(-score, kind="stable")
    mine, lost = treated[order], churned[order]
    n = np.arange(1, lost.size + 1)
    rate = [np.cumsum(lost & arm) / np.maximum(np.cumsum(arm), 1) for arm in (~mine, mine)]
    gains = n * (rate[0] - rate[1])
    return float((gains - gains[-1] * n / n.size).mean() / n.size)


def score(folder: Path) -> dict[str, float]:
    """Return how well a logistic regression finds churners, and a T-learner those whom the treatment keeps.

    Half of the customers train, the other half test. ``auc_labels`` is what a firm could measure; against
    ``auc_departures``, the true departures, and the true hazard as a predictor, it could not. Each customer's effect
    has luck in it: squared errors of two models differ by as much as their squared PEHE (Hill 2011), but are larger.
    """
    known = features(folder)
    about = json.loads((folder / "data.json").read_text(encoding="utf-8"))
    treatment = next(iter(about["treatments"]))  # of several, the first is compared with none
    labels = pd.read_parquet(folder / "labels.parquet").set_index("customer")
    known = known[labels["treatment"].reindex(known.index).isin(["none", treatment])]
    labels = labels.loc[known.index]
    groups = len(about["treatments"])
    effects = pd.read_parquet(folder / "truth" / "effects.parquet")
    effects = effects[effects["treatment"] == treatment].set_index("customer").loc[known.index]
    hazards = pd.read_parquet(folder / "truth" / "hazards.parquet")
    last = hazards[hazards["tick"] == about["snapshot"] + 1].set_index("customer")["hazard"]
    # Who has left already without the firm's knowing leaves for certain.
    true_risk = last.reindex(known.index).fillna(1).to_numpy()

    train = np.random.default_rng(1).random(len(known)) < 0.5
    treated = (labels["treatment"] != "none").to_numpy()
    churned = labels["churned"].to_numpy()
    x = known.to_numpy(float)
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    classifier.fit(x[train & ~treated], churned[train & ~treated])
    risk = classifier.predict_proba(x)[:, 1]

    arms = {}
    for arm in (False, True):
        model = HistGradientBoostingClassifier(max_depth=3, max_iter=60, learning_rate=0.05, random_state=0)
        mine = train & (treated == arm)
        arms[arm] = model.fit(x[mine], churned[mine]).predict_proba(x)[:, 1]
    uplift = arms[False] - arms[True]

    test = ~train
    untreated = test & ~treated
    effect = effects["churned_0"].to_numpy(float) - effects["churned_1"].to_numpy(float)
    kept = effect[test]
    # Who is treated at all by lot, of the untreated and those with this treatment.
    to_treat = effects["propensity"].to_numpy()
    chance = to_treat / (1 - (groups - 1) * to_treat)
    error = np.square(kept - uplift[test]).mean()
    spread = np.square(kept - effect[train].mean()).mean()
    left = effects["left_0"].to_numpy()
    return {
        "customers": float(len(known)),
        "churn_untreated": float(churned[untreated].mean()),
        "auc_labels": float(roc_auc_score(churned[untreated], risk[untreated])),
        "auc_labels_of_true_hazard": float(roc_auc_score(churned[untreated], true_risk[untreated])),
        "auc_departures": float(roc_auc_score(left[test], risk[test])),
        "auc_departures_of_true_hazard": float(roc_auc_score(left[test], true_risk[test])),
        "rank_correlation_with_true_hazard": float(pd.Series(risk[test]).corr(pd.Series(true_risk[test]), "spearman")),
        "mean_true_effect": float(kept.mean()),
        "mean_effect_unweighted": float(churned[untreated].mean() - churned[test & treated].mean()),
        "mean_effect_by_propensity": estimated_effect(churned[test], treated[test], chance[test]),
        "squared_error_t_learner": float(error),
        "squared_error_of_the_mean": float(spread),
        "uplift_at_20_t_learner": best_of(kept, uplift[test]),
        "uplift_at_20_by_risk": best_of(kept, risk[test]),
        "uplift_at_20_oracle": best_of(kept, kept),
        "qini_t_learner": qini(kept, uplift[test]),
        "qini_t_learner_estimated": estimated_qini(churned[test], treated[test], uplift[test]),
        "qini_by_risk": qini(kept, risk[test]),
        "qini_by_risk_estimated": estimated_qini(churned[test], treated[test], risk[test]),
        "qini_oracle": qini(kept, kept),
    }


def main() -> None:
    """Print the scores of the data in a folder."""
    for name, value in score(Path(sys.argv[1])).items():
        print(f"{name:<36} {value:10.4f}")


if __name__ == "__main__":
    main()
