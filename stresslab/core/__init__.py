"""What knows no market: errors, randomness, text, files, processes."""
