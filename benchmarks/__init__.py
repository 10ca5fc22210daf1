"""What a customer-tick costs, against peers in one interleaved run; `make bench` runs it."""

import os

# Peers are compared core by core. Libraries read these when they are loaded, so this must come before NumPy;
# worker processes inherit them.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ.setdefault(_name, "1")
