"""Do once, when a process begins to serve, what its first text would have to wait for."""

import logging
import sys
import threading

from django.db import connections

from inboxes.hours.opening import load_holidays

logger = logging.getLogger(__name__)


def load_with_reactor() -> None:
    """Load the public holidays when the reactor starts, whoever runs it; elsewhere do nothing."""
    if "twisted.internet.reactor" not in sys.modules:
        return
    from twisted.internet import reactor

    thread = threading.Thread(target=_load, name="holidays", daemon=True)
    reactor.callWhenRunning(thread.start)


def _load() -> None:
    try:
        logger.info("the public holidays of %s regions are loaded", load_holidays())
    except Exception as error:  # noqa: BLE001  the first text that needs them loads them
        logger.warning("the public holidays were not loaded: %s", type(error).__name__)
    finally:
        connections.close_all()
