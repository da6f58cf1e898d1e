"""Reasons why a backup is not made or restored."""


class Refused(Exception):
    """Nothing was changed. The text is for the administrator.

    `status` is what the command exits with: 2 for what was asked wrongly, 3 for a database that
    is not empty, 4 for keys that do not fit.
    """

    def __init__(self, why: str, status: int = 2) -> None:
        super().__init__(why)
        self.status = status
