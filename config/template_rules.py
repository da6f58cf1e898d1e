"""Hold templates to what the content security policy, readers and the order of the apps ask."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

LONGEST_LINE = 120

# The browser would block these, but for the last.
RULES = {
    "a style attribute": re.compile(r"<[^>{%]*\sstyle\s*=", re.IGNORECASE),
    "an inline style sheet": re.compile(r"<style\b", re.IGNORECASE),
    "an inline script": re.compile(r"<script\b(?![^>]*\bsrc\s*=)[^>]*>", re.IGNORECASE),
    "an inline event handler": re.compile(r"<[^>{%]*\son[a-z]+\s*=", re.IGNORECASE),
    "hx-on": re.compile(r"\bhx-on\b", re.IGNORECASE),
    "a js: value": re.compile(r"""["'\s](?:js|javascript):""", re.IGNORECASE),
    "a trigger filter": re.compile(r"""hx-trigger\s*=\s*["'][^"']*\[""", re.IGNORECASE),
    "a line that is too long": re.compile(rf"^.{{{LONGEST_LINE + 1},}}$", re.MULTILINE),
}

# From the lowest to the highest: none names a template, a URL or a tag library of a higher one.
APPS = ["inboxes", "threads", "messaging", "simulator", "config"]
# The folders of Python that stand elsewhere; what is in `messaging/simulator` is not messaging's.
FOLDERS = {"simulator": "messaging/simulator"}
# Whose the folders of `templates/` and the namespaces of URLs are, where the name is another one.
OWNERS = dict.fromkeys(
    ["account", "admin", "invitations", "mfa", "registration", "socialaccount", "usersessions"],
    "inboxes",
) | {"setup": "messaging"}
# URL names without a namespace are the whole site's, but for those of signing in.
SIGN_IN = re.compile(r"(account|company|mfa|socialaccount|usersessions)_")

_TAG = re.compile(r"\{%\s*(include|extends|url|load)\s+(.*?)\s*%\}")
_QUOTED = re.compile(r"""["']([^"']+)["']""")
_TEMPLATE_NAME = re.compile(r"[\w/-]+\.html(?:#\w+)?")
_URL_NAME = re.compile(r"[a-z_]+:[a-z_]+")


def broken_rules(folder: Path) -> list[str]:
    """Return one line for each place that breaks a rule: file, line, what."""
    found = []
    for path in sorted(folder.glob("**/*.html")):
        text = path.read_text()
        for name, pattern in RULES.items():
            found += [
                f"{path.relative_to(folder.parent)}:{_line_of(text, hit)}: {name}"
                for hit in pattern.finditer(text)
            ]
    return found


def names_of_higher_apps(root: Path) -> list[str]:
    """Return one line for each name in a lower app that belongs to a higher one.

    In templates and in Python: names of templates, of URLs, and of tag libraries.
    """
    libraries = {path.stem: path.parts[-3] for path in root.glob("*/templatetags/[!_]*.py")}
    found = []
    for path in sorted(root.glob("templates/**/*.html")):
        place = path.relative_to(root)
        owner = _owner_of_template(str(place.relative_to("templates")))
        for line, name, named in _named_in_template(path.read_text(), libraries):
            if _is_higher(named, owner):
                found.append(f"{place}:{line}: {owner} names {name} of {named}")
    for path in sorted(path for app in APPS[:-1] for path in root.glob(f"{app}/**/*.py")):
        place = path.relative_to(root)
        owner = _owner_of_module(place)
        for line, name, named in _named_in_python(path.read_text()):
            if _is_higher(named, owner):
                found.append(f"{place}:{line}: {owner} names {name} of {named}")
    return found


def _named_in_template(text: str, libraries: dict[str, str]) -> Iterator[tuple[int, str, str]]:
    """Yield the line, the name, and the app that it belongs to."""
    for hit in _TAG.finditer(text):
        tag, rest = hit.groups()
        line = _line_of(text, hit)
        if tag == "load":
            names = rest.split(" from ")[-1].split()
            yield from ((line, name, libraries[name]) for name in names if name in libraries)
            continue
        quoted = _QUOTED.match(rest)
        if quoted is None:
            continue  # a variable, which a view has set
        name = quoted[1]
        if tag == "url":
            yield line, name, _owner_of_url(name)
        elif tag == "include" or "/" in name:  # pages of all apps extend the site's frames
            yield line, name, _owner_of_template(name)


def _named_in_python(source: str) -> Iterator[tuple[int, str, str]]:
    """Yield the same of string literals."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            continue
        if _TEMPLATE_NAME.fullmatch(node.value):
            yield node.lineno, node.value, _owner_of_template(node.value)
        elif _URL_NAME.fullmatch(node.value) and _owning_app(node.value.split(":")[0]) in APPS:
            yield node.lineno, node.value, _owner_of_url(node.value)


def _owner_of_module(place: Path) -> str:
    for app, folder in FOLDERS.items():
        if place.is_relative_to(folder):
            return app
    return place.parts[0]


def _owner_of_template(name: str) -> str:
    """Return the app of `threads/_person.html`, or of `admin/messaging/change_form.html`."""
    *folders, _ = name.split("/")
    if not folders:
        return "config"
    if folders[0] == "admin" and len(folders) > 1:
        return _owning_app(folders[1])
    return _owning_app(folders[0])


def _owner_of_url(name: str) -> str:
    """Return the app of `messaging:inbox`, or of `admin:messaging_number_change`."""
    namespace, _, rest = name.rpartition(":")
    if namespace == "admin":
        model_of = rest.partition("_")[0]
        return model_of if model_of in APPS else "inboxes"
    if not namespace:
        return "inboxes" if SIGN_IN.match(name) else "config"
    return _owning_app(namespace)


def _owning_app(name: str) -> str:
    return OWNERS.get(name, name)


def _is_higher(named: str, owner: str) -> bool:
    return named in APPS and APPS.index(named) > APPS.index(owner)


def _line_of(text: str, hit: re.Match[str]) -> int:
    return text.count("\n", 0, hit.start()) + 1
