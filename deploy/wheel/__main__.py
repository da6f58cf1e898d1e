"""Start the `partyline` command of an installed Partyline.

Its packages have names like `config`, so they lie in this folder instead of beside other people's.
The folder comes first in the search path: ours are found whatever else is installed.
"""

import sys
from pathlib import Path

FOLDER = str(Path(__file__).resolve().parent)


def main() -> None:
    sys.path.insert(0, FOLDER)
    from config.command import main as run_command

    run_command()


if __name__ == "__main__":
    main()
