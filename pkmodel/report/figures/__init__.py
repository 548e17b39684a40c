"""Figures, one module each: `data(...)` runs the model and returns numbers, `draw(data)` returns the picture."""
