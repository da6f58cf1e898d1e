"""Lists of an agent who deleted more threads than a walk examines at once."""

from __future__ import annotations

import pytest

from inboxes.models import Inbox
from messaging.stream.hiding import delete_thread
from tests.cast import ANAS_LINE, DISPATCH, Cast, client_of
from tests.markup import read_page
from threads import walks
from threads.cursors import Cursor
from threads.filters import ThreadFilter
from threads.lists import top_list
from threads.walks import walk_threads

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_windows")]


@pytest.fixture
def small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WINDOW", "FIRST_WINDOW", "SMALLEST_WINDOW"):
        monkeypatch.setattr(walks, name, 3)


def test_a_list_behind_many_deleted_threads_says_where_to_look_further(cast: Cast) -> None:
    threads = [cast.thread(sender=f"+1202555{2000 + at}") for at in range(5)]
    for thread in threads[1:]:
        delete_thread(thread=thread, agent=cast.ana, message_id=thread.last_message_id or 0)
    for query in ("only=all", "only=open", "only=reply"):
        wanted = ThreadFilter.from_query(query)
        first = walk_threads(cast.ana, [cast.front_desk], wanted, count=31)
        assert (first.keys, first.resume and first.resume.pk) == ([], threads[2].pk)
        rest = walk_threads(cast.ana, [cast.front_desk], wanted, count=31, after=first.resume)
        assert (rest.keys, rest.resume) == ([threads[0].pk], None)
    page = read_page(client_of(cast.ana).get(f"/inboxes/{cast.front_desk.pk}/?only=all"))
    assert "Look further back" in page


def test_no_inbox_is_passed_over_for_one_where_much_was_deleted(cast: Cast) -> None:
    older = cast.thread(to=DISPATCH)
    newer = cast.thread()
    deleted = [cast.thread(sender=f"+1202555{2000 + at}") for at in range(3)]
    for thread in deleted:
        delete_thread(thread=thread, agent=cast.ana, message_id=thread.last_message_id or 0)
    inboxes, wanted = [cast.front_desk, cast.dispatch], ThreadFilter.from_query("only=open")
    first = walk_threads(cast.ana, inboxes, wanted, count=31)
    assert first.keys == []
    rest = walk_threads(cast.ana, inboxes, wanted, count=31, after=first.resume)
    assert rest.keys == [newer.pk, older.pk]


def test_the_own_line_goes_on_behind_many_deleted_threads(cast: Cast) -> None:
    kept = cast.thread(to=ANAS_LINE)
    for at in range(3):
        thread = cast.thread(sender=f"+1202555{2000 + at}", to=ANAS_LINE)
        delete_thread(thread=thread, agent=cast.ana, message_id=thread.last_message_id or 0)
    first = top_list(cast.ana)
    assert first.is_cut
    after = Cursor.from_key((first.next_query or "").rpartition("=")[2])
    rows = [*first.rows, *top_list(cast.ana, after).rows]
    assert [row.thread for row in rows if row.thread] == [kept]
    inboxes = [row.inbox for row in rows if not row.thread]
    assert len(inboxes) == len(set(inboxes)) == Inbox.objects.visible_to(cast.ana).shared().count()
