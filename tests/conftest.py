"""For all tests: one BLAS thread, no deadlines on shared machines, and the same random examples in every CI run."""

from __future__ import annotations

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

from hypothesis import settings  # noqa: E402  (the threads must be set before NumPy is loaded)

settings.register_profile("pkmodel", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("pkmodel")
