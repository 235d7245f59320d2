"""Flags of a run that takes a second."""

UNIVERSES = ("--generator", "bootstrap", "--universes", "20", "--horizon", "10")
SMALL = (*UNIVERSES, "--warmup", "100", "--realism-origins", "0", "--permutations", "19")
