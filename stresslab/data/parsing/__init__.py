"""A table of any layout to bars: columns, numbers, time stamps, validation."""
