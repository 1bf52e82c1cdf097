"""What an admin changes takes effect at once: assigning, revoking, killing, by command and with the right exit codes."""

import json

import pytest

from lib import greeter
from lib.browser import Browser
from lib.clients import TigerVnc, XFreeRdp
from lib.wait import until

OPTIONS = {"guest": "pattern", "users": 2}


def shown(entry, fields):
    return set(fields) <= set(entry)


def test_the_objects_have_their_stable_fields(demo):
    assert shown(demo.cli("user", "show", "user1"), ["name", "admin", "disabled"])
    assert shown(demo.cli("desktop", "show", "d1"), ["name", "template", "state", "reason", "assigned", "user", "domain"])
    assert shown(demo.cli("audit")[0], ["id", "time", "actor", "action", "object", "result"])
    assert demo.cli("encoder", "list")


def test_the_exit_codes_are_as_documented(demo):
    assert demo.run_cli("user", "frobnicate").returncode == 2
    assert demo.run_cli("user", "show", "nobody").returncode == 3
    done = demo.run_cli("user", "add", "user1", "--password-stdin", secret="x" * 12 + "\n")
    assert done.returncode == 4
    error = json.loads(done.stderr)["error"]
    assert error["code"] == "conflict" and error["message"]


def test_a_recording_that_cannot_be_played_fails_its_desktop_with_the_reason(demo):
    film = f"{demo.directory}/film.rec"
    with open(film, "wb") as file:
        file.write(b"FWREC\0\0\1" + bytes(32))
    demo.cli("template", "add", "cinema", "--kind", "pattern", "--image", film)
    demo.cli("desktop", "create", "film", "cinema")
    demo.run_cli("desktop", "start", "film")
    until(lambda: demo.cli("desktop", "show", "film")["state"] == "failed", 10, "the failure")
    assert demo.cli("desktop", "show", "film")["reason"].startswith("The recording cannot be played: ")


def test_unassigning_ends_the_session_and_assigning_lets_in_again(demo, screen):
    with XFreeRdp(screen, demo, XFreeRdp.GFX) as client:
        client.wait_card()
        entry = demo.cli("session", "list")[0]
        assert shown(entry, ["id", "user", "desktop", "protocol", "address", "since"])
        demo.cli("unassign", "d1")
        client.wait_end()
    until(lambda: demo.cli("session", "list") == [], 10, "no sessions")
    demo.cli("assign", "d1", "user1")
    with XFreeRdp(screen, demo, XFreeRdp.GFX) as client:
        client.wait_card()


def test_killing_a_session_ends_its_client(demo, screen):
    with XFreeRdp(screen, demo, XFreeRdp.GFX) as client:
        client.wait_card()
        demo.cli("session", "kill", demo.cli("session", "list")[0]["id"])
        client.wait_end()


def test_disabling_a_user_ends_his_session_and_keeps_him_out(demo, screen):
    with XFreeRdp(screen, demo, XFreeRdp.GFX) as client:
        client.wait_card()
        demo.cli("user", "disable", "user1")
        client.wait_end()
    assert demo.cli("user", "show", "user1")["disabled"] is True
    # The right password, and yet: RDP stays at the greeter, VNC fails in the handshake.
    with XFreeRdp(screen, demo, XFreeRdp.GFX) as client:
        greeter.wait_sentence(client, "login", "The name or the password is wrong.")
        assert demo.cli("session", "list") == []
    with TigerVnc(screen, demo) as client:
        client.wait_end()
        assert "uthentication" in client.output()
    demo.cli("user", "enable", "user1")
    with XFreeRdp(screen, demo, XFreeRdp.GFX) as client:
        client.wait_card()


def test_a_new_password_ends_the_session_that_used_the_old_one(demo, screen):
    with XFreeRdp(screen, demo, XFreeRdp.GFX) as client:
        client.wait_card()
        demo.cli("user", "passwd", "user1", "--password-stdin", secret=demo.user()["password"] + "\n")
        client.wait_end()


def newer_rows(demo, than):
    """(action, object, result) of the audit's rows after that id, in their order."""
    rows = sorted((row for row in demo.cli("audit") if row["id"] > than), key=lambda row: row["id"])
    return [(row["action"], row["object"], row["result"]) for row in rows]


def test_every_act_is_in_the_audit(demo):
    newest = max(row["id"] for row in demo.cli("audit"))
    demo.cli("unassign", "d2")
    demo.cli("assign", "d2", "user2")
    demo.cli("user", "disable", "user2")
    demo.cli("user", "enable", "user2")
    assert demo.run_cli("assign", "d2", "nobody").returncode == 3
    rows = newer_rows(demo, newest)
    assert rows == [("unassign", "d2 user2", "ok"), ("assign", "d2 user2", "ok"), ("user.disable", "user2", "ok"),
                    ("user.enable", "user2", "ok")]


@pytest.fixture(scope="module")
def admin_page(demo):
    """The table of desktops, open in the admin's browser."""
    with Browser(demo) as page:
        page.log_in(demo.json["admin"]["name"], demo.json["admin"]["password"])
        until(lambda: page.script("return location.pathname") != "/login", 20, page.text)
        page.open("/admin/desktops")
        yield page


def choose_action(page, desktop, action):
    """Opens the menu in the desktop's row and chooses from it."""
    row = f"//tr[td[normalize-space()='{desktop}']]"
    page.click(until(lambda: page.find(f"{row}//button"), 20, lambda: f"{desktop}'s menu in:\n{page.text()}"))
    item = f"//*[@role='menuitem'][starts-with(normalize-space(), '{action}')]"
    page.click(until(lambda: page.find(item), 10, lambda: f"{action} in:\n{page.text()}"))


def test_assigning_and_unassigning_by_page_act_at_once(demo, screen, admin_page):
    with XFreeRdp(screen, demo, XFreeRdp.GFX) as client:
        client.wait_card()
        newest = max(row["id"] for row in demo.cli("audit"))
        choose_action(admin_page, "d1", "Unassign")
        admin_page.click(admin_page.accessible("button", "Unassign"))
        client.wait_end()
    until(lambda: demo.cli("desktop", "show", "d1")["assigned"] is None, 10, "d1 without a user")
    choose_action(admin_page, "d1", "Assign")
    admin_page.choose("User", "user1")
    admin_page.click(admin_page.accessible("button", "Assign"))
    until(lambda: demo.cli("desktop", "show", "d1")["assigned"] == "user1", 10, "d1 with its user")
    with XFreeRdp(screen, demo, XFreeRdp.GFX) as client:
        client.wait_card()
    rows = newer_rows(demo, newest)
    assert [row[0] for row in rows if row[0] in ("assign", "unassign")] == ["unassign", "assign"], rows
