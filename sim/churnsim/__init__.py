"""Agent-based simulation of customer churn: why customers leave, and what keeping them costs.

A scenario is a question, a run is an answer, and both are plain data::

    import churnsim as cs

    case = cs.load("two_hotels")
    runs = cs.run([case, case.arm("both_passive")], seeds=range(30))
    runs.summary(at=[24, 96])

Names are loaded when they are first used, so ``import churnsim`` costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from churnsim.calibration.errors import DataError
    from churnsim.calibration.fitted import Fitted
    from churnsim.calibration.fitting import fit, predict
    from churnsim.causes import CAUSES
    from churnsim.config.errors import ScenarioError
    from churnsim.config.loading import builtin_names, load
    from churnsim.customer_value import ValueMatrix, value_matrix
    from churnsim.customers import Customer
    from churnsim.firms import Firm
    from churnsim.ground_truth import generate
    from churnsim.lock_in import Holds, holds
    from churnsim.metrics import MEASURES
    from churnsim.model import ChurnModel, simulate
    from churnsim.population import CustomerSet
    from churnsim.results import Result, open
    from churnsim.running import RunError, run
    from churnsim.scenario import Scenario
    from churnsim.strategies import REGISTRY as STRATEGIES
    from churnsim.strategies import Action, Strategy, View
    from churnsim.studies.factors import Factor
    from churnsim.studies.store import Store, open_store
    from churnsim.studies.study import Study, load_study
    from churnsim.studies.sweeping import sweep

_HOMES = {
    "load": "churnsim.config.loading",
    "builtin_names": "churnsim.config.loading",
    "run": "churnsim.running",
    "generate": "churnsim.ground_truth",
    "fit": "churnsim.calibration.fitting",
    "predict": "churnsim.calibration.fitting",
    "Fitted": "churnsim.calibration.fitted",
    "DataError": "churnsim.calibration.errors",
    "RunError": "churnsim.running",
    "open": "churnsim.results",
    "Result": "churnsim.results",
    "Scenario": "churnsim.scenario",
    "ScenarioError": "churnsim.config.errors",
    "ChurnModel": "churnsim.model",
    "simulate": "churnsim.model",
    "Customer": "churnsim.customers",
    "CustomerSet": "churnsim.population",
    "Firm": "churnsim.firms",
    "Strategy": "churnsim.strategies",
    "Action": "churnsim.strategies",
    "View": "churnsim.strategies",
    "STRATEGIES": "churnsim.strategies:REGISTRY",
    "holds": "churnsim.lock_in",
    "Holds": "churnsim.lock_in",
    "value_matrix": "churnsim.customer_value",
    "ValueMatrix": "churnsim.customer_value",
    "Study": "churnsim.studies.study",
    "load_study": "churnsim.studies.study",
    "Factor": "churnsim.studies.factors",
    "sweep": "churnsim.studies.sweeping",
    "Store": "churnsim.studies.store",
    "open_store": "churnsim.studies.store",
    "MEASURES": "churnsim.metrics",
    "CAUSES": "churnsim.causes",
}
"""Where each public name lives: its module, and its name there where that differs."""

__all__ = [
    "CAUSES",
    "MEASURES",
    "STRATEGIES",
    "Action",
    "ChurnModel",
    "Customer",
    "CustomerSet",
    "DataError",
    "Factor",
    "Firm",
    "Fitted",
    "Holds",
    "Result",
    "RunError",
    "Scenario",
    "ScenarioError",
    "Store",
    "Strategy",
    "Study",
    "ValueMatrix",
    "View",
    "__version__",
    "builtin_names",
    "fit",
    "generate",
    "holds",
    "load",
    "load_study",
    "open",
    "open_store",
    "predict",
    "run",
    "simulate",
    "sweep",
    "value_matrix",
]


def __getattr__(name: str) -> Any:
    """Import a public name on first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'churnsim' has no attribute '{name}'")
    module, _, inner = _HOMES[name].partition(":")
    value = getattr(importlib.import_module(module), inner or name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted(set(globals()) | set(__all__))
