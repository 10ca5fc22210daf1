"""Twins of the model in other languages: peers of the engine in the benchmark, and checks on what it computes."""
