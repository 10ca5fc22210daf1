"""The C twin: `churn.c`, compiled on the spot and driven through ctypes.

It is an independent re-implementation of the model, with two uses: as the peer of the engine in the
benchmark, and to check the engine bit for bit. Python only prepares numbers and reads the records;
one call runs any number of ticks.
"""

from __future__ import annotations

import ctypes
import hashlib
import math
import os
import shlex
import shutil
import subprocess
import tempfile
from ctypes import c_double, c_float, c_int, c_uint64, c_void_p
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.twins.reasons import KNOWN_CAUSES, KNOWN_ENABLERS, among_all, among_all_enablers
from churnsim.config.firms import LEVELS
from churnsim.metrics import FIRM_MEASURES, MARKET_MEASURES
from churnsim.records import RunRecord

SOURCE = Path(__file__).with_name("churn.c")
OPTIONS = ("-std=gnu11", "-O3", "-fno-math-errno", "-fno-trapping-math")
"""Options of every build. The last two change no result; the engine's compiler assumes the same."""

MACHINE = (["-march=native"], ["-mcpu=native"], [])
"""Ways to ask for this machine's instructions; the first that the compiler knows is taken."""

STRATEGIES = ("passive", "price_cut", "relationship_investment")
TRAITS = ("opportunity", "quality_value", "price_weight", "switching_cost", "transaction_cost")
KINDS = ("constant", "normal", "lognormal", "uniform", "beta")
CELLS = 4096
MOST_TICKS = 2**31 - 1


# ---------------------------------------------------------------------- compiling


def compiler() -> str | None:
    """Return the C compiler there is: the first of ``$CC``, gcc, cc and clang, or None."""
    for command in (os.environ.get("CC", ""), "gcc", "cc", "clang"):
        if command.strip() and shutil.which(shlex.split(command)[0]):
            return command
    return None


def compile_twin(target: Path, firms: int, exact: bool = False) -> list[str]:
    """Compile the twin into a shared library and return the command that did it.

    Parameters
    ----------
    target
        File to write.
    firms
        Number of firms, fixed in the library.
    exact
        Whether products and sums must be rounded apart, as the model has them.

    Raises
    ------
    RuntimeError
        If there is no compiler, or it fails.
    """
    command = compiler()
    if command is None:
        raise RuntimeError("no C compiler: set $CC, or install gcc or clang")
    options = [*OPTIONS, f"-DFIRMS={firms}", "-shared", "-fPIC", *(["-ffp-contract=off"] if exact else [])]
    said = ""
    for machine in MACHINE:
        call = [*shlex.split(command), *options, *machine, str(SOURCE), "-o", str(target), "-lm"]
        done = subprocess.run(call, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return call
        said = said or done.stderr
    raise RuntimeError(f"{command} could not compile {SOURCE.name}:\n{said}")


@lru_cache
def library(firms: int, exact: bool) -> ctypes.CDLL:
    """Return the twin for a number of firms, compiled once per process."""
    # A loaded library may lie open until the process ends; where it cannot be removed it stays behind.
    with tempfile.TemporaryDirectory(prefix="churn-twin-", ignore_cleanup_errors=True) as folder:
        path = Path(folder) / f"churn{firms}{'exact' if exact else 'fast'}.so"
        compile_twin(path, firms, exact)
        lib = ctypes.CDLL(str(path))
    lib.twin_setup_size.restype = ctypes.c_size_t
    lib.twin_new.restype = c_void_p
    lib.twin_new.argtypes = [c_void_p]
    lib.twin_step.restype = None
    lib.twin_step.argtypes = [c_void_p, c_int]
    lib.twin_free.restype = None
    lib.twin_free.argtypes = [c_void_p]
    if lib.twin_setup_size() != ctypes.sizeof(setup_type(firms)):
        raise AssertionError("c_twin.py and churn.c disagree on struct setup")
    return lib


# ---------------------------------------------------------------------- what churn.c reads


def _fields(kind: Any, names: str) -> list[tuple[str, Any]]:
    """Return fields of one type, from their names in a line."""
    return [(name, kind) for name in names.split()]


class Rules(ctypes.Structure):
    """``struct rules`` of churn.c."""

    _fields_ = _fields(
        c_float,
        "noise outside_value gain_weight loss_aversion reference_rate reference_seen "
        "experience_noise crowding core_floor learning expectation_up expectation_down expectation_spill "
        "disconfirmation satisfaction_loss performance satisfaction_rate neutral "
        "attention_base attention_slope trigger_rise trigger_cut trigger_expiry trigger_contact "
        "attachment_value attachment_growth attachment_decay attachment_floor attachment_initial "
        "stay_intensity contact_intensity satiation sunk_weight sunk_decay sunk_share "
        "hazard_natural hazard_lapse hazard_credit "
        "word_weight tell_base tell_extreme told_dissatisfied told_satisfied rewired "
        "taste_sd belief_sd",
    )


class Trait(ctypes.Structure):
    """``struct trait`` of churn.c."""

    _fields_ = [("table", c_void_p), ("centre", c_float), ("spread", c_float), ("kind", c_int)]


class Level(ctypes.Structure):
    """``struct level`` of churn.c."""

    _fields_ = _fields(c_double, "contacts richness cost")


class Listing(ctypes.Structure):
    """``struct listing`` of churn.c."""

    _fields_ = [
        ("code", c_uint64),
        *_fields(
            c_double,
            "price unit_cost service training relationship_budget fixed_cost capacity cash credit initial_share "
            "quality_scale quality_adjustment cash_use memory insolvency contract_length contract_fee "
            "strategy_depth strategy_training strategy_budget",
        ),
        *_fields(
            c_int,
            "relationship service_first strategy strategy_start strategy_restore strategy_promotion strategy_level",
        ),
    ]


@lru_cache
def setup_type(firms: int) -> type[ctypes.Structure]:
    """Return ``struct setup`` of churn.c for a number of firms."""

    class Setup(ctypes.Structure):
        _fields_ = [
            ("seed", c_uint64),
            *_fields(c_double, "opportunity_mean market_memory cue_strength money_unit"),
            *_fields(c_int, "customers burn_in horizon contacts"),
            *_fields(c_int, "attention_on budget_on insolvency_on erosion_on word_of_mouth_on"),
            ("queue", c_int * firms),
            ("queue_share", c_float * firms),
            ("rules", Rules),
            ("traits", Trait * len(TRAITS)),
            ("levels", Level * len(LEVELS)),
            ("firms", Listing * firms),
            *_fields(c_void_p, "measures market primary labels shares enablers flows"),
        ]

    return Setup


def refuse(scenario: Any) -> None:
    """Raise ValueError where a scenario needs what the twin does not have."""
    missing = []
    if scenario.moves:
        missing.append("dated moves")
    if scenario.customers.growth:
        missing.append("growth of the market")
    if scenario.customers.taste.homophily:
        missing.append("acquaintances of like tastes")
    if scenario.mechanisms.dealings:
        missing.append("dealings beyond the stay")
    others = {firm.strategy.name for firm in scenario.firms.values()} - set(STRATEGIES)
    missing += [f"strategy '{name}'" for name in sorted(others)]
    if missing:
        raise ValueError(f"the C twin does not cover {', '.join(missing)}")


def rules_of(scenario: Any) -> Rules:
    """Return the numbers of the customers' rules; a mechanism that is off gets those that undo it."""
    c, on = scenario.customers, scenario.mechanisms
    return Rules(
        noise=c.choice.noise,
        outside_value=c.choice.outside_value,
        gain_weight=c.reference_price.weight * on.reference_price,
        loss_aversion=c.reference_price.loss_aversion,
        # Without a memory of prices, triggers compare with the last tick's.
        reference_rate=c.reference_price.adaptation if on.reference_price else 1,
        reference_seen=c.reference_price.seen_only if on.reference_price else 1,
        experience_noise=c.experience.noise,
        crowding=c.experience.crowding * on.crowding,
        core_floor=c.experience.core_floor,
        learning=c.belief.learning * on.learning,
        expectation_up=c.expectation.up if on.expectation else c.expectation.down,
        expectation_down=c.expectation.down,
        expectation_spill=c.expectation.spillover * on.expectation,
        disconfirmation=c.satisfaction.disconfirmation,
        satisfaction_loss=c.satisfaction.loss_aversion,
        performance=c.satisfaction.performance,
        satisfaction_rate=c.satisfaction.adjustment,
        neutral=c.satisfaction.neutral,
        attention_base=c.attention.base,
        attention_slope=c.attention.satisfaction,
        trigger_rise=c.attention.own_price_rise,
        trigger_cut=c.attention.rival_price_cut,
        trigger_expiry=c.attention.contract_expiry,
        trigger_contact=c.attention.contact,
        attachment_value=c.attachment.value * on.attachment,
        attachment_growth=c.attachment.growth * on.attachment,
        attachment_decay=c.attachment.decay,
        attachment_floor=c.attachment.floor,
        attachment_initial=c.attachment.initial * on.attachment,
        stay_intensity=c.attachment.stay_intensity,
        contact_intensity=c.attachment.contact_intensity,
        satiation=c.attachment.satiation,
        sunk_weight=c.sunk_cost.weight * on.sunk_cost,
        sunk_decay=c.sunk_cost.decay,
        sunk_share=c.sunk_cost.price_share * on.sunk_cost,
        hazard_natural=c.hazards.natural * on.involuntary,
        hazard_lapse=c.hazards.lapse * on.involuntary,
        hazard_credit=c.hazards.credit * on.involuntary,
        word_weight=c.word_of_mouth.weight,
        tell_base=c.word_of_mouth.tell_base,
        tell_extreme=c.word_of_mouth.tell_extreme,
        told_dissatisfied=c.word_of_mouth.told_when_dissatisfied,
        told_satisfied=c.word_of_mouth.told_when_satisfied,
        rewired=c.word_of_mouth.rewired,
        taste_sd=c.taste.sd * on.taste,
        belief_sd=c.belief.initial_sd,
    )


def trait_of(distribution: Any, keep: list[Any], on: bool = True) -> Trait:
    """Return a distribution as churn.c has it; its table of quantiles, if any, is appended to `keep`."""
    d = distribution
    kind = KINDS.index(d.dist)
    if not on:
        return Trait()
    match d.dist:
        case "normal":
            return Trait(None, d.mean, d.sd, kind)
        case "lognormal":
            return Trait(None, d.mean, math.sqrt(math.log1p(d.cv**2)), kind)
        case "uniform":
            return Trait(None, d.low, d.high - d.low, kind)
        case "beta":
            from scipy.special import betaincinv

            table = betaincinv(d.a, d.b, np.linspace(0, 1, CELLS + 1)).astype(np.float32)
            keep.append(table)
            return Trait(table.ctypes.data, 0, 0, kind)
    return Trait(None, d.value, 0, kind)


def listing_of(name: str, firm: Any, on: Any) -> Listing:
    """Return a firm as churn.c has it."""
    strategy = firm.strategy
    budget = math.inf if firm.relationship_budget is None else firm.relationship_budget
    own_budget = getattr(strategy, "budget", None)
    return Listing(
        code=int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little"),
        **{
            lever: getattr(firm, lever)
            for lever in ("price", "unit_cost", "service", "training", "fixed_cost", "capacity", "cash", "credit",
                          "initial_share")
        },
        relationship_budget=budget,
        quality_scale=firm.quality.scale,
        quality_adjustment=firm.quality.adjustment,
        cash_use=firm.budget.cash_use,
        memory=firm.budget.memory,
        insolvency=firm.budget.insolvency,
        contract_length=firm.contract.length * on.termination,
        contract_fee=firm.contract.fee,
        strategy_depth=getattr(strategy, "depth", 0),
        strategy_training=getattr(strategy, "training", 0),
        strategy_budget=budget if own_budget is None else own_budget,
        relationship=LEVELS.index(firm.relationship),
        service_first=firm.budget.priority[0] == "service",
        strategy=STRATEGIES.index(strategy.name),
        strategy_start=getattr(strategy, "start", 1),
        strategy_restore=getattr(strategy, "restore", None) or MOST_TICKS,
        strategy_promotion=getattr(strategy, "promotion", False),
        strategy_level=LEVELS.index(getattr(strategy, "level", "basic")),
    )  # fmt: skip


# ---------------------------------------------------------------------- running


class CTwin:
    """One run of one scenario in C; like `ChurnModel`, it stands at tick 0 once it is made.

    Parameters
    ----------
    scenario : churnsim.Scenario
        What is run: any scenario without dated moves and growth whose firms are passive, cut their price or
        invest in the relationship.
    seed : int
        Seed of all luck.
    exact : bool
        Whether to compile so that every bit is the model's; the default is as fast as the compiler can.

    Attributes
    ----------
    tick : int
        The tick that has just ended.

    Raises
    ------
    ValueError
        If the scenario needs what the twin does not have.
    RuntimeError
        If there is no C compiler.
    """

    def __init__(self, scenario: Any, seed: int, exact: bool = False) -> None:
        refuse(scenario)
        self.scenario, self.seed = scenario, seed
        self._lib = library(len(scenario.firms), exact)
        self._kept: list[Any] = []
        self._records = self._room()
        setup = self._setup()
        self._twin = self._lib.twin_new(ctypes.byref(setup))
        if not self._twin:
            raise MemoryError(f"no memory for {scenario.customers.count} customers")
        self.tick = -scenario.burn_in
        self.step(scenario.burn_in)

    def _room(self) -> dict[str, np.ndarray]:
        """Return zeroed arrays for the records of the whole run."""
        ticks, J = self.scenario.burn_in + self.scenario.horizon, len(self.scenario.firms)
        return {
            "measures": np.zeros((ticks, len(FIRM_MEASURES), J)),
            "market": np.zeros((ticks, len(MARKET_MEASURES))),
            "primary": np.zeros((ticks, J, len(KNOWN_CAUSES)), np.int64),
            "labels": np.zeros((ticks, J, len(KNOWN_CAUSES)), np.int64),
            "shares": np.zeros((ticks, J, len(KNOWN_CAUSES))),
            "enablers": np.zeros((ticks, J, len(KNOWN_ENABLERS))),
            "flows": np.zeros((ticks, J + 1, J + 1), np.int64),
        }

    def _setup(self) -> ctypes.Structure:
        """Return everything that churn.c wants to know."""
        scenario, c, on = self.scenario, self.scenario.customers, self.scenario.mechanisms
        J = len(scenario.firms)
        names = list(scenario.firms)
        # By name, so that the order in which a scenario lists its firms does not matter.
        queue = sorted(range(J), key=names.__getitem__)
        firms = list(scenario.firms.values())
        barriers = {"switching_cost": on.switching_cost, "transaction_cost": on.transaction_cost}
        return setup_type(J)(
            seed=self.seed % 2**64,
            opportunity_mean=c.opportunity.mean_value,
            market_memory=c.experience.market_memory,
            cue_strength=c.price_cue.strength * on.price_cue,
            money_unit=max(firm.price for firm in firms) or 1,
            customers=c.count,
            burn_in=scenario.burn_in,
            horizon=scenario.horizon,
            contacts=c.word_of_mouth.contacts,
            attention_on=on.attention,
            budget_on=on.budget,
            insolvency_on=on.insolvency,
            erosion_on=on.quality_erosion,
            word_of_mouth_on=on.word_of_mouth,
            queue=tuple(queue),
            queue_share=tuple(np.cumsum([firms[j].initial_share for j in queue])),
            rules=rules_of(scenario),
            traits=tuple(trait_of(getattr(c, name), self._kept, barriers.get(name, True)) for name in TRAITS),
            levels=tuple(
                Level(level.contacts, level.richness, level.cost)
                for level in (scenario.relationship_levels[name] for name in LEVELS)
            ),
            firms=tuple(listing_of(name, firm, on) for name, firm in scenario.firms.items()),
            **{name: array.ctypes.data for name, array in self._records.items()},
        )

    def step(self, ticks: int = 1) -> None:
        """Run a number of ticks, in one call.

        Raises
        ------
        ValueError
            If they would lead beyond the horizon.
        """
        if not 0 <= ticks <= self.scenario.horizon - self.tick:
            raise ValueError(f"{ticks} ticks from tick {self.tick} lead beyond the horizon {self.scenario.horizon}")
        self._lib.twin_step(self._twin, ticks)
        self.tick += ticks

    def run(self) -> RunRecord:
        """Run to the horizon and return the record."""
        self.step(self.scenario.horizon - self.tick)
        return self.record()

    def record(self) -> RunRecord:
        """Return what has been recorded so far, without events."""
        rows = self.scenario.burn_in + self.tick
        kept = {name: array[:rows].copy() for name, array in self._records.items()}
        return RunRecord(
            scenario=self.scenario.name or self.scenario.id,
            seed=self.seed,
            ticks=np.arange(rows, dtype=np.int64) + 1 - self.scenario.burn_in,
            firms=tuple(self.scenario.firms),
            measures={name: kept["measures"][:, m] for m, name in enumerate(FIRM_MEASURES)},
            market={name: kept["market"][:, m] for m, name in enumerate(MARKET_MEASURES)},
            **{name: among_all(kept[name]) for name in ("primary", "shares", "labels")},
            enablers=among_all_enablers(kept["enablers"]),
            flows=kept["flows"],
        )

    def close(self) -> None:
        """Give the memory of the customers back; records stay."""
        if getattr(self, "_twin", None):
            self._lib.twin_free(self._twin)
            self._twin = None

    def __enter__(self) -> CTwin:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()
