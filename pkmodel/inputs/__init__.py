"""Who is treated and with what: records, the library behind them, scenarios."""
