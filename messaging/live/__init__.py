"""The live page: bells come in, fragments go out, and one reader per inbox serves the whole
process."""
