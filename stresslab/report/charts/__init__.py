"""Charts: arrays in, pictures out."""
