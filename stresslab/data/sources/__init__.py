"""Where tables are: files, samples, remote services, collections."""
