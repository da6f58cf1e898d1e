"""The attacks' process.

    python -m tests.faults.attacker

Reads an order as one line of JSON: {"attack", "port", "seconds", "amount"} and what the attack
takes besides. Prints "begun", and at the end one line of JSON: what came of it.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from tests.faults import request_attacks, socket_attacks
from tests.faults.attack import Attack

ATTACKS: dict[str, Callable[[Attack], Coroutine[Any, Any, None]]] = {
    "huge_messages": socket_attacks.huge_messages,
    "many_frames": socket_attacks.many_frames,
    "nonsense": socket_attacks.nonsense,
    "handshakes": socket_attacks.handshakes,
    "stalled_readers": socket_attacks.stalled_readers,
    "slow_requests": request_attacks.slow_requests,
    "large_bodies": request_attacks.large_bodies,
    "sign_ins": request_attacks.sign_ins,
    "push_service": request_attacks.push_service,
}


def main() -> None:
    order: dict[str, Any] = json.loads(sys.stdin.readline())
    deed = ATTACKS[order.pop("attack")]
    attack = Attack(**order)
    print("begun", flush=True)
    asyncio.run(deed(attack))
    print(json.dumps(attack.done), flush=True)


if __name__ == "__main__":
    main()
