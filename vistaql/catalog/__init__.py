"""Names to tables, image sets, CNNs and results, in one SQLite file that several processes share."""
