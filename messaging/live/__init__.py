"""The live page: bells in, fragments out, one reader per process and inbox."""
