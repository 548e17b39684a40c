"""Calibration in stages: published numbers of role `fit`, priors where they are thin, and what they cannot decide."""
