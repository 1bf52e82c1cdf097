"""What an admin changes takes effect at once: assigning, revoking, killing, by command and with the right exit codes."""

import json

from lib.clients import XFreeRdp
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
    demo.cli("user", "enable", "user1")
    with XFreeRdp(screen, demo, XFreeRdp.GFX) as client:
        client.wait_card()


def test_a_new_password_ends_the_session_that_used_the_old_one(demo, screen):
    with XFreeRdp(screen, demo, XFreeRdp.GFX) as client:
        client.wait_card()
        demo.cli("user", "passwd", "user1", "--password-stdin", secret=demo.user()["password"] + "\n")
        client.wait_end()


def test_every_act_is_in_the_audit(demo):
    demo.cli("unassign", "d2")
    demo.cli("assign", "d2", "user2")
    actions = [entry["action"] for entry in demo.cli("audit")]
    assert any("unassign" in action for action in actions) and any("assign" in action for action in actions)
