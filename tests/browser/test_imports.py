"""Import contacts in a browser, from the file to the finished list."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.pages import OpenPage, make_unique
from tests.browser.server import Server


def test_a_file_becomes_contacts_and_is_looked_at_before(
    open_page: OpenPage, server: Server
) -> None:
    name = make_unique("Abena Mensah")
    lines = "".join(f"{name} {n},(304) 555-{n:04d},no\n" for n in range(1000, 1400))
    file = f"Name,Phone,Do not text\n{lines}Peter Lang,(202) 555-01,no\n"
    page = open_page("ana", "/contacts/")
    page.get_by_role("button", name="Import").click()
    page.get_by_label("File", exact=True).set_input_files(
        {"name": "customers.csv", "mimeType": "text/csv", "buffer": file.encode()}
    )
    page.get_by_label("Into the inbox").select_option(label="Front Desk")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("combobox", name="Phone")).to_have_value("number")
    page.get_by_role("button", name="Preview").click()
    # More lines than a request reads itself: a job does, and the page follows it.
    expect(page.get_by_role("heading", name="Look before anything is saved")).to_be_visible()
    expect(page.get_by_text("in Phone has 8 digits; a number here has 10.")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download these lines").click()
    assert "Peter Lang" in download.value.path().read_text()
    page.get_by_role("button", name="Import 400 contacts").click()
    expect(page.get_by_role("heading", name="Contacts imported")).to_be_visible()
    page.get_by_role("link", name="See contacts").click()
    page.get_by_role("searchbox").fill(f"{name} 1399")
    expect(page.get_by_role("table", name="Contacts")).to_contain_text(f"{name} 1399")
    found = "SELECT count(*) FROM threads_contact WHERE name LIKE %s"
    assert server.query(found, f"{name}%") == [(400,)]
