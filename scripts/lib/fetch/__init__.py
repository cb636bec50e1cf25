"""Fetching of data sets: datasets.py is the table, place.py the whole way, download.py and unpack.py its two steps."""
