"""Kronos: tokenizer, transformer, sampling and training, and a small model of our own."""
