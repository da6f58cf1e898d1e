"""Writes the tests' cast into a cluster's database; run with the cluster's environment.

    python -m tests.faults.furniture THREADS

Prints JSON: the account's webhook path, number and secret, so many threads of Front Desk as
[id, the customer's address], and the cookies of ana's browser.
"""

from __future__ import annotations

import json
import sys


def main(threads: int) -> None:
    import django

    django.setup()
    from django.conf import settings

    from tests.cast import FRONT_DESK, SECRETS, assemble, client_of

    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "testserver"]
    cast = assemble()
    made = [cast.thread(sender=f"+1303555{number:04d}") for number in range(threads)]
    cookies = {name: cookie.value for name, cookie in client_of(cast.ana).cookies.items()}
    told = {
        "webhook_path": cast.account.webhook_path,
        "number": FRONT_DESK,
        "secret": SECRETS["auth_token"],
        "threads": [[thread.pk, thread.contact.address] for thread in made],
        "cookies": cookies,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main(int(sys.argv[1]))
