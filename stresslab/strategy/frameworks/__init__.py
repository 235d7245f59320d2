"""Strategies written for other frameworks, run as they are: each module adapts the classes of one of them.

An adapter answers with `Fills`: what its own rules filled. `registry` knows which framework a class or a file is of.
"""
