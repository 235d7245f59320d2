"""Sections of a report: results in, what a page shows out."""
