"""What a scenario may say: records, paths into them, loading, and errors that help.

The parts are imported by name (``churnsim.config.loading``, ``churnsim.config.errors``
...), so that a strategy or a mechanism can use one of them without loading the rest.
"""
