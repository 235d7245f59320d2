"""Does a strategy look ahead? Probes of its decisions, and the likely cause."""
