"""One clock, one solver, one batch: the numerics that carry a Problem to its Solution."""
