"""A plain link opens the view that an agent chose last, of that inbox."""

from __future__ import annotations

import html
import re

import pytest
from django.test import Client
from django.utils import timezone

from inboxes.models import Agent, Membership
from tests.cast import ANAS_LINE, DISPATCH, FRONT_DESK, Cast, client_of
from tests.markup import read_page
from tests.messaging.live.live_pages import parse_elements
from threads.models import Label

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true", "HX-Target": "main#panes"}


def opened_at(client: Client, path: str) -> str:
    """Return the address at which the page stands."""
    answer = client.get(path)
    return answer["Location"] if answer.status_code == 302 else path


def choose(client: Client, path: str) -> None:
    """Follow the link of *Views* that has the filter of the address."""
    assert opened_at(client, f"{path}&chosen=1") == path


def make_label(cast: Cast, name: str = "Repair") -> Label:
    return Label.objects.create(inbox=cast.front_desk, name=name)


def test_everything_is_shown_to_whoever_never_chose(cast: Cast) -> None:
    client = client_of(cast.ana)
    for path in ("/", f"/inboxes/{cast.front_desk.pk}/"):
        assert client.get(path).status_code == 200


def test_a_plain_link_opens_the_view_chosen_last_and_the_address_says_so(cast: Cast) -> None:
    client = client_of(cast.ana)
    desk, dispatch = (f"/inboxes/{one.pk}/" for one in (cast.front_desk, cast.dispatch))
    choose(client, f"{desk}?only=mine&only=urgent")
    assert opened_at(client, desk) == f"{desk}?only=mine&only=urgent"
    assert opened_at(client, dispatch) == dispatch
    assert opened_at(client, "/") == "/"
    assert opened_at(client_of(cast.ben), desk) == desk
    choose(client, "/?only=reply")
    assert opened_at(client, "/") == "/?only=reply"
    assert opened_at(client, desk) == f"{desk}?only=mine&only=urgent"


def test_all_is_chosen_like_any_view(cast: Cast) -> None:
    client, path = client_of(cast.ana), f"/inboxes/{cast.front_desk.pk}/"
    choose(client, f"{path}?only=done")
    choose(client, f"{path}?only=all")
    assert opened_at(client, path) == f"{path}?only=all"


def test_htmx_is_led_there_too(cast: Cast) -> None:
    client, path = client_of(cast.ana), f"/inboxes/{cast.front_desk.pk}/"
    choose(client, f"{path}?only=done")
    answer = client.get(path, headers=HTMX)
    assert answer["HX-Push-Url"] == f"{path}?only=done"
    assert 'data-only="done"' in read_page(answer)


def test_a_cleared_search_restores_the_view_in_its_place(cast: Cast) -> None:
    client, path = client_of(cast.ana), f"/inboxes/{cast.front_desk.pk}/"
    choose(client, f"{path}?only=done")
    answer = client.get(f"{path}?q=", headers=HTMX | {"HX-Target": "div#found"})
    assert "HX-Push-Url" not in answer
    assert 'data-only="done"' in read_page(answer)


def test_what_is_beside_a_conversation_or_on_a_further_page_is_no_choice(cast: Cast) -> None:
    client, path = client_of(cast.ana), f"/inboxes/{cast.front_desk.pk}/"
    client.get(f"/threads/{cast.thread().pk}/?only=reply")
    client.get(f"{path}?only=open&chosen=1&after=5-5", headers=HTMX)
    assert opened_at(client, path) == path


@pytest.mark.parametrize("path", ["/", "/inboxes/{}/"])
def test_a_bookmark_a_notification_and_a_step_back_are_no_choice(cast: Cast, path: str) -> None:
    client, path = client_of(cast.ana), path.format(cast.front_desk.pk)
    choose(client, f"{path}?only=open")
    for headers in ({}, HTMX):
        answer = client.get(f"{path}?only=mine", headers=headers)
        assert 'data-only="mine"' in read_page(answer)
        assert "HX-Push-Url" not in answer
    assert opened_at(client, path) == f"{path}?only=open"


def test_what_nobody_opened_is_no_choice(cast: Cast) -> None:
    client = client_of(cast.ana)
    assert client.head("/?only=mine&chosen=1").status_code == 302
    for name in ("Sec-Purpose", "Purpose", "X-Moz"):
        client.get("/?only=mine&chosen=1", headers={name: "prefetch"})
    assert opened_at(client, "/") == "/"


def test_all_links_of_views_and_those_that_take_a_part_out_are_choices(cast: Cast) -> None:
    label = make_label(cast)
    client, path = client_of(cast.ana), f"/inboxes/{cast.front_desk.pk}/"
    page = read_page(client.get(f"{path}?only=mine&only=unread&only=urgent&label={label.pk}"))
    links = re.findall(r'<a\s+class="(?:view |narrowing")[^>]*?hx-get="([^"]+)"', page)
    assert len(links) >= 19
    for link in map(html.unescape, links):
        assert opened_at(client, link) == link.removesuffix("&chosen=1")
        assert opened_at(client, path) == link.removesuffix("&chosen=1")


def test_with_scripts_the_address_of_a_choice_is_that_of_the_view(cast: Cast) -> None:
    client, path = client_of(cast.ana), f"/inboxes/{cast.front_desk.pk}/"
    answer = client.get(f"{path}?only=done&chosen=1", headers=HTMX)
    assert (answer.status_code, answer["HX-Push-Url"]) == (200, f"{path}?only=done")
    assert opened_at(client, path) == f"{path}?only=done"


def test_a_label_that_is_deleted_leaves_everything(cast: Cast) -> None:
    client, path = client_of(cast.ana), f"/inboxes/{cast.front_desk.pk}/"
    label = make_label(cast)
    choose(client, f"{path}?label={label.pk}")
    choose(client, f"/?only=open&label={label.pk}")
    assert opened_at(client, path) == f"{path}?label={label.pk}"
    Label.objects.update(deleted_at=timezone.now())
    assert opened_at(client, path) == f"{path}?only=all"
    assert opened_at(client, f"{path}?label={label.pk}") == f"{path}?only=all"
    assert opened_at(client, "/") == "/?only=open"
    beside = read_page(client.get(f"/threads/{cast.thread().pk}/?label={label.pk}"))
    assert 'data-only=""' in beside


def test_anothers_label_is_as_one_that_never_was(cast: Cast) -> None:
    label = make_label(cast)
    client, path = client_of(cast.ana), f"/inboxes/{cast.dispatch.pk}/"
    for key in (label.pk, 2**62):
        assert opened_at(client, f"{path}?label={key}") == f"{path}?only=all"
    assert opened_at(client_of(cast.dov), f"/?label={label.pk}") == "/?only=all"
    assert opened_at(client, f"/?label={label.pk}") == f"/?label={label.pk}"


@pytest.mark.parametrize("stored", ["only=archived", "label=x", "%00", "only=all"])
def test_what_no_longer_is_a_view_opens_everything(cast: Cast, stored: str) -> None:
    Membership.objects.filter(agent=cast.ana).update(view=stored)
    Agent.objects.filter(pk=cast.ana.pk).update(top_view=stored)
    client = client_of(Agent.objects.get(pk=cast.ana.pk))
    for path in ("/", f"/inboxes/{cast.front_desk.pk}/"):
        assert opened_at(client, path) == f"{path}?only=all"


def test_the_views_of_all_inboxes_hold_the_threads_of_each(cast: Cast) -> None:
    desk, dispatch = cast.thread(), cast.thread(to=DISPATCH)
    page = read_page(client_of(cast.ana).get("/?only=reply"))
    rows = [row.id for row in parse_elements(page)]
    assert rows == [f"thread-{dispatch.pk}", f"thread-{desk.pk}"]
    theirs = read_page(client_of(cast.cho).get("/?only=reply"))
    assert [row.id for row in parse_elements(theirs)] == [f"thread-{desk.pk}"]


@pytest.mark.parametrize("query", ["only=reply", "only=mine&only=urgent"])
def test_the_list_beside_a_conversation_of_ones_own_line_keeps_its_filter(
    cast: Cast, query: str
) -> None:
    thread = cast.thread(to=ANAS_LINE)
    page = read_page(client_of(cast.ana).get(f"/threads/{thread.pk}/?{query}"))
    token = query.replace("only=", "").replace("&", "-")
    assert f'data-only="{token}"' in page


@pytest.mark.parametrize("to", [FRONT_DESK, ANAS_LINE])
def test_beside_the_pages_of_a_conversation_stands_the_view_chosen_last(
    cast: Cast, to: str
) -> None:
    Membership.objects.filter(agent=cast.ana).update(view="only=reply")
    Agent.objects.filter(pk=cast.ana.pk).update(top_view="only=reply")
    client, path = client_of(cast.ana), f"/threads/{cast.thread(to=to).pk}"
    for name in ("contact", "opt-out", "files"):
        assert 'data-only="reply"' in read_page(client.get(f"{path}/{name}/"))
