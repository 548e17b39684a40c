"""Sweeps: many scenarios along axes, in chunks that survive interruption and do not depend on who computes them."""
