"""Photographs: finding image files, decoding them in parallel, and the cache of the results."""
