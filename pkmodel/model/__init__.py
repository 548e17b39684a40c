"""The declared transport graph, and the one place where patient, drug and treatment become columns."""
