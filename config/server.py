"""The server of `manage.py serve`: Daphne and the worker in one event loop."""

import asyncio
import logging
import os
import signal
import socket
from typing import Any

from daphne.server import Server, twisted_loop
from daphne.ws_protocol import WebSocketProtocol
from django.conf import settings
from twisted.internet import defer, reactor

from config.embedded import ServerUnavailable, ensure_running
from config.shutdown import exit_after_deadline, leave_exit_to_server
from config.worker import run_worker
from messaging.live.supervision import keep_running

logger = logging.getLogger(__name__)

# Frames from a page are small (presence, heartbeats); everything big comes by POST.
SOCKET_MESSAGE_LIMIT = 64 * 1024
REQUEST_GRACE_SECONDS = 4.0
WORKER_GRACE_SECONDS = 5.0
SERVICE_RESTART = 1012  # close code in RFC 6455's registry: the client should reconnect


class PartylineServer(Server):
    """Daphne's server with a worker beside it and a graceful shutdown."""

    def __init__(self, application: Any, listening: socket.socket) -> None:
        is_proxied = settings.IS_HTTPS
        super().__init__(
            application=application,
            endpoints=[f"fd:fileno={listening.fileno()}"],
            signal_handlers=False,
            websocket_max_message_size=SOCKET_MESSAGE_LIMIT,
            websocket_max_frame_size=SOCKET_MESSAGE_LIMIT,
            application_close_timeout=5,
            proxy_forwarded_address_header="X-Forwarded-For" if is_proxied else None,
            proxy_forwarded_port_header="X-Forwarded-Port" if is_proxied else None,
            proxy_forwarded_proto_header="X-Forwarded-Proto" if is_proxied else None,
            verbosity=0,
            server_name="partyline",
            ready_callable=self._start_tasks,
        )
        leave_exit_to_server()
        self._listening = listening  # keeps it open: Daphne knows only its number
        self._tasks: list[asyncio.Task[None]] = []
        self._shutdown: asyncio.Task[None] | None = None

    def _start_tasks(self) -> None:
        self._tasks = [twisted_loop.create_task(run_worker(), name="worker")]
        if not settings.DATABASE_URL:
            watching = keep_running("watching the database", _restart_database_if_down)
            self._tasks.append(twisted_loop.create_task(watching, name="database"))
        for number in (signal.SIGTERM, signal.SIGINT):
            twisted_loop.add_signal_handler(number, self._begin_shutdown)

    def _begin_shutdown(self) -> None:
        if self._shutdown is not None:
            os._exit(1)  # the second signal: at once
        exit_after_deadline()
        self._shutdown = twisted_loop.create_task(self._shut_down(), name="end")

    async def _shut_down(self) -> None:
        logger.info("stopping")
        try:
            for listener in self.listeners:
                listener.addCallback(lambda port: port.stopListening())
            for task in self._tasks:
                task.cancel()
            self._close_sockets()
            await asyncio.gather(
                asyncio.wait(self._tasks, timeout=WORKER_GRACE_SECONDS), self._finish_requests()
            )
        except Exception:  # whatever it is, the process has to end
            logger.exception("the graceful shutdown failed")
        finally:
            reactor.stop()

    def _close_sockets(self) -> None:
        for protocol in list(self.connections):
            if not isinstance(protocol, WebSocketProtocol):
                continue
            if protocol.state == protocol.STATE_OPEN:
                protocol.sendCloseFrame(code=SERVICE_RESTART, isReply=False)
            elif protocol.state == protocol.STATE_CONNECTING:
                protocol.serverReject()

    async def _finish_requests(self) -> None:
        if left := self._running_requests():
            await asyncio.wait(left, timeout=REQUEST_GRACE_SECONDS)

    def _running_requests(self) -> list[asyncio.Future[Any]]:
        running = [entry.get("application_instance") for entry in self.connections.values()]
        return [task for task in running if task is not None and not task.done()]

    def kill_all_applications(self) -> Any:
        """Cancel the requests and wait a second; Daphne would wait forever for a hung thread."""
        left = self._running_requests()
        for task in left:
            task.cancel()
        waiting = asyncio.wait(left, timeout=1.0) if left else asyncio.sleep(0)
        return defer.Deferred.fromFuture(asyncio.ensure_future(waiting))


async def _restart_database_if_down() -> None:
    """Check the embedded PostgreSQL every two seconds, and start it again if it died."""
    while True:
        await asyncio.sleep(2.0)
        try:
            await asyncio.to_thread(ensure_running, settings.DATA_DIR, recheck=True)
        except ServerUnavailable as error:
            logger.error("%s", error)


def open_listening_socket(host: str, port: int) -> socket.socket:
    """Return a listening socket. Raises OSError."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(512)
    except OSError:
        listening.close()
        raise
    listening.setblocking(False)
    return listening
