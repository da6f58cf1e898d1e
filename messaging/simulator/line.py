"""Cut a caller's connection, as a failing network does."""

from __future__ import annotations

import sys


def reset(host: str, port: int) -> bool:
    """Reset the connection that this process holds with that peer; False if it cannot be found.

    Django has no word for this, so Daphne's reactor is asked for the socket. Under another
    server there is nothing to ask, and the caller has to run into its timeout instead.
    """
    reactor = getattr(sys.modules.get("twisted.internet"), "reactor", None)
    if reactor is None or not reactor.running:
        return False
    for line in reactor.getReaders():
        peer = line.getPeer() if hasattr(line, "getPeer") else None
        if (getattr(peer, "host", None), getattr(peer, "port", None)) == (host, port):
            reactor.callFromThread(line.abortConnection)
            return True
    return False
