"""Tell administrators what is wrong now, from what the record says; one module for each noun.

Each query reads a bounded part of an index, so that the first page is as fast with a million
messages as with none.
"""
