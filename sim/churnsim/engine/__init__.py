"""The engine: customers as arrays, and kernels that loop over them calling mechanisms."""
