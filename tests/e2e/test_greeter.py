"""Logging in at the greeter by keyboard alone, over RDP and VNC: who, with which password, at which desktop."""

import time

import pytest

from lib import greeter
from lib.browser import Browser
from lib.clients import TigerVnc, XFreeRdp
from lib.wait import until

OPTIONS = {"guest": "pattern", "users": 2}
# Characters that a German keyboard has elsewhere than an American one, or with AltGr.
PASSWORD = "zy-ZY@{ß}"


def rdp(screen, demo):
    return XFreeRdp(screen, demo, XFreeRdp.GFX, user="", password="")


def vnc(screen, demo):
    return TigerVnc(screen, demo, security="X509None")


@pytest.fixture(scope="module")
def accounts(demo):
    """gerda has a password to be typed on a German keyboard, and two desktops."""
    demo.cli("user", "add", "gerda", "--password-stdin", secret=PASSWORD + "\n")
    template = demo.cli("desktop", "show", "d1")["template"]
    for name in ("east", "west"):
        demo.cli("desktop", "create", name, template)
        demo.cli("assign", name, "gerda")
    demo.cli("user", "add", "idle", "--password-stdin", secret="no desktop yet\n")


def test_without_a_password_rdp_leads_to_the_greeter_and_through_it(demo, screen):
    user = demo.user()
    with rdp(screen, demo) as client:
        greeter.sign_in(client, user["name"], user["password"])
        client.wait_card()
        assert [entry["desktop"] for entry in demo.cli("session", "list")] == ["d1"]


def test_vnc_without_an_account_leads_to_the_greeter_and_through_it(demo, screen):
    user = demo.user(1)
    with vnc(screen, demo) as client:
        greeter.sign_in(client, user["name"], user["password"])
        client.wait_card()
        assert [entry["desktop"] for entry in demo.cli("session", "list")] == ["d2"]


@pytest.mark.parametrize("connect", [rdp, vnc], ids=["rdp", "vnc"])
def test_a_german_keyboard_types_the_password_and_the_second_desktop_is_chosen(demo, screen, accounts, connect):
    newest = max(row["id"] for row in demo.cli("audit"))

    def logged_in():
        return any(row["actor"] == "user:gerda" and row["result"] == "ok" and row["id"] > newest
                   for row in demo.cli("audit"))
    with connect(screen, demo) as client:
        greeter.sign_in(client, "gerda", PASSWORD)
        until(logged_in, 20, lambda: f"gerda's login in {demo.cli('audit')[:5]}")
        # The choice: east is first, and nothing happens until somebody chooses.
        time.sleep(1)
        assert greeter.is_greeter(client.picture()) and demo.cli("session", "list") == []
        client.key("Down")
        client.key("Return")
        client.wait_card()
        assert [entry["desktop"] for entry in demo.cli("session", "list")] == ["west"]


@pytest.mark.parametrize("connect", [rdp, vnc], ids=["rdp", "vnc"])
def test_a_wrong_password_is_told_and_the_right_one_works_after_it(demo, screen, connect):
    user = demo.user()
    with connect(screen, demo) as client:
        greeter.sign_in(client, user["name"], "wrong")
        greeter.wait_sentence(client, "login", "The name or the password is wrong.")
        client.type(user["password"])
        client.key("Return")
        client.wait_card()


def test_someone_without_a_desktop_is_told_whom_to_ask(demo, screen, accounts):
    with XFreeRdp(screen, demo, XFreeRdp.GFX, "idle", "no desktop yet") as client:
        greeter.wait_sentence(client, "failed", "No desktop is assigned to you. Ask your administrator for one.")


def test_someone_without_a_desktop_is_told_in_the_page(demo, accounts):
    with Browser(demo) as page:
        page.log_in("idle", "no desktop yet")
        until(lambda: "No desktop is assigned to you" in page.text(), 20, page.text)
