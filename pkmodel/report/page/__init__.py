"""A treatment as one self-contained HTML page."""
