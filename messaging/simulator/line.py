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
    # Imported late: only a running reactor makes it of use.
    from twisted.internet.tcp import Server

    for connection in reactor.getReaders():
        if not isinstance(connection, Server):
            continue
        peer = connection.getPeer()
        if (peer.host, peer.port) == (host, port):
            reactor.callFromThread(connection.abortConnection)
            return True
    return False
