"""Run one attack in a process of its own.

    python -m tests.faults.attacker

reads an order as one line of JSON: {"attack", "port", "seconds", "amount"} and further fields of
`Attack`. It prints "begun", and at the end the outcomes as one line of JSON.
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
    "meaningless_frames": socket_attacks.meaningless_frames,
    "repeated_handshakes": socket_attacks.repeated_handshakes,
    "stalled_readers": socket_attacks.stalled_readers,
    "slow_requests": request_attacks.slow_requests,
    "large_bodies": request_attacks.large_bodies,
    "sign_ins": request_attacks.sign_ins,
    "push_service": request_attacks.push_service,
}


def main() -> None:
    order: dict[str, Any] = json.loads(sys.stdin.readline())
    run_attack = ATTACKS[order.pop("attack")]
    attack = Attack(**order)
    print("begun", flush=True)
    asyncio.run(run_attack(attack))
    print(json.dumps(attack.outcomes), flush=True)


if __name__ == "__main__":
    main()
