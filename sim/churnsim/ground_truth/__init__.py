"""Data as a firm would see them, beside the truth that it never sees: a test bed for churn and uplift models."""

from churnsim.ground_truth.generation import Generated, generate
from churnsim.ground_truth.plan import GroundTruthError, Plan, plan_of

__all__ = ["Generated", "GroundTruthError", "Plan", "generate", "plan_of"]
