"""Names of browsers and systems, as people know them, read from what a browser calls itself."""

from __future__ import annotations

from dataclasses import dataclass

import ua_parser

_BROWSERS = {"HeadlessChrome": "Chrome", "Mobile Safari": "Safari", "Edge Mobile": "Edge"}
_SYSTEMS = {"Mac OS X": "macOS", "Chrome OS": "ChromeOS", "Other": ""}
_NOISE = (" Mobile WebView", " Mobile iOS", " Mobile", " iOS", " WebView")
_HANDHELD = {"Android", "iOS", "iPadOS", "KaiOS"}


@dataclass(frozen=True, slots=True)
class Browser:
    """Hold a browser's name, like `Safari on iPhone`, and whether it runs on a phone or tablet."""

    name: str
    is_handheld: bool


def name_browser(user_agent: str) -> Browser:
    """Name the browser of a User-Agent header. What is not known is called a browser."""
    found = ua_parser.parse(user_agent)
    family = found.user_agent.family if found.user_agent else ""
    system = found.os.family if found.os else ""
    device = found.device.family if found.device else ""
    name = _BROWSERS.get(family) or _without_noise(family) or "A browser"
    where = device if device in {"iPhone", "iPad"} else _SYSTEMS.get(system, system)
    return Browser(f"{name} on {where}" if where else name, system in _HANDHELD)


def _without_noise(family: str) -> str:
    for noise in _NOISE:
        family = family.removesuffix(noise)
    return family
