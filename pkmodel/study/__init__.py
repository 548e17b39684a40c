"""Studies over scenarios: comparison of arms, attribution, fits."""
