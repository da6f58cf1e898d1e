#!/usr/bin/env python
"""Run Partyline's commands; a bad setting ends here with a sentence instead of a traceback."""

import sys

from config.command import run_management

if __name__ == "__main__":
    run_management(sys.argv)
