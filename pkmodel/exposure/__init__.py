"""What a course of concentrations amounts to: exposure metrics and non-compartmental analysis."""
