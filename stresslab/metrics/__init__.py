"""The numbers drawn from universes: formulas on arrays, each with its source. Nothing here reads, writes or draws."""
