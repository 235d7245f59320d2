"""Formats of a report: HTML, PDF, Markdown, text, tables, notebooks."""
