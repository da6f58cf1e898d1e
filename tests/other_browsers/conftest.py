"""Provide one server, and one browser of each kind, for the journeys."""

from __future__ import annotations

import os
from collections.abc import Iterator

import httpx
import psycopg
import pytest

from tests import evidence
from tests.browser.cable import Cable
from tests.browser.server import Server
from tests.other_browsers.drivers import DRIVERS
from tests.other_browsers.pages import Pages
from tests.other_browsers.webdriver import Driver
from tests.running_cluster import PORTS, free_ports
from tests.stack import running_stack


@pytest.fixture(scope="package")
def server() -> Iterator[Server]:
    """Run the real program in demo mode."""
    port = free_ports(PORTS)
    cable = Cable(port)
    url = f"http://127.0.0.1:{cable.port}"
    settings = {"PORT": str(port), "PUBLIC_URL": url, "CARRIER_TIMEOUT": "3"}
    try:
        with (
            running_stack(f"other_{os.getpid()}", **settings) as stack,
            httpx.Client(trust_env=False, timeout=20) as outside,
            psycopg.connect(stack.database_url, autocommit=True) as connection,
        ):
            yield Server(stack, cable, url, outside, connection)
    finally:
        cable.close()


@pytest.fixture(scope="package", params=list(DRIVERS))
def driver(request: pytest.FixtureRequest) -> Iterator[Driver]:
    with DRIVERS[request.param]() as started:
        yield started


@pytest.fixture
def pages(driver: Driver, server: Server, request: pytest.FixtureRequest) -> Iterator[Pages]:
    """Return a wide window without a session."""
    driver.resize(1280, 900)
    yield Pages(driver, server)
    server.cable.restore()
    if evidence.has_failed(request):
        print(driver.call("GetCurrentURL"))
        print(driver.run("return document.body.innerText"))
        evidence.print_log(server.stack)
    driver.call("DeleteAllCookies")
