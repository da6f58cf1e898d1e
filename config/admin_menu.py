"""Group the administration's pages as administrators look for them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

# Each group with the models whose pages it leads to, by their labels. A test holds every model of
# the administration to a group.
GROUPS = (
    ("People", ("inboxes.agent", "inboxes.onetimelink")),
    ("Inboxes", ("inboxes.inbox", "inboxes.membershipchange")),
    (
        "Carriers",
        (
            "messaging.carrieraccount",
            "messaging.number",
            "messaging.attempt",
            "messaging.webhook",
            "messaging.optout",
        ),
    ),
    ("Settings", ("inboxes.signinsettings", "messaging.optoutsettings")),
)


def group_pages(apps: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return Django's dictionaries of apps and models as our groups."""
    models = {model["model"]._meta.label_lower: model for app in apps for model in app["models"]}
    groups = [
        {"name": name, "models": [models[label] for label in labels if label in models]}
        for name, labels in GROUPS
    ]
    return [group for group in groups if group["models"]]
