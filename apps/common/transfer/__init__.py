"""Rows in and out by CSV and XLSX. Rows come in through services only, all of a file or none."""
