"""States that nobody wants: what is missing, wrong or too little is told in words, where the person who meets it looks."""

import os
import sqlite3
import subprocess

import pytest

from lib import greeter
from lib.clients import XFreeRdp
from lib.demo import Demo
from lib.libvirtd import LibvirtWithoutQemu
from lib.wait import until

OPTIONS = {"guest": "pattern"}


def test_a_missing_image_is_told_with_its_name(demo):
    absent = "/nonexistent/image.qcow2"
    done = demo.run_cli("template", "add", "broken", "--kind", "vm", "--image", absent)
    assert done.returncode in (1, 2) and absent in done.stderr
    image = f"{demo.directory}/gone.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", image, "1M"], check=True)
    demo.cli("template", "add", "broken", "--kind", "vm", "--image", image)
    demo.cli("desktop", "create", "dx", "broken")
    os.unlink(image)
    done = demo.run_cli("desktop", "start", "dx")
    desktop = until(lambda: (d := demo.cli("desktop", "show", "dx"))["state"] in ("failed", "off") and d, 30, "its end")
    assert image in done.stderr + desktop["reason"], f"{done.stderr} {desktop}"
    demo.cli("desktop", "remove", "dx")


def test_a_wrong_password_leads_to_the_greeter_where_the_right_one_works(demo, screen):
    with XFreeRdp(screen, demo, XFreeRdp.GFX, user="nobody", password="wrong") as client:
        greeter.wait_sentence(client, "login", "The name or the password is wrong.")
        assert demo.cli("session", "list") == []
    with XFreeRdp(screen, demo, XFreeRdp.GFX, password="wrong") as client:
        greeter.wait_sentence(client, "login", "The name or the password is wrong.")
        assert demo.cli("session", "list") == []
        # Its name is known already.
        greeter.sign_in(client, None, demo.user()["password"])
        client.wait_card()


def give_machine(demo, user, **template):
    """Gives the user a desktop of a new template instead of his own."""
    image = f"{demo.directory}/empty.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", image, "64M"], check=True)
    arguments = [word for key, value in template.items() for word in (f"--{key.replace('_', '-')}", value)]
    demo.cli("template", "add", "machine", "--kind", "vm", "--image", image, *arguments)
    demo.cli("desktop", "create", "machine", "machine")
    demo.cli("unassign", user["desktop"])
    demo.cli("assign", "machine", user["name"])


def why_not(demo, desktop):
    """The reason, in words, for which the desktop does not run."""
    shown = until(lambda: (d := demo.cli("desktop", "show", desktop))["state"] == "failed" and d, 40, "its failure")
    return shown["reason"]


def test_too_little_memory_is_told_on_the_users_screen(screen):
    """With a libvirt that works, a template of 16 TiB."""
    with Demo(guest="tiny", start="none") as demo:
        give_machine(demo, demo.user(), memory_mib=16777216)
        with XFreeRdp(screen, demo, XFreeRdp.GFX) as client:
            reason = why_not(demo, "machine")
            assert reason.startswith("There is not enough memory"), reason
            greeter.wait_sentence(client, "failed", reason, "machine")


def test_a_libvirt_that_is_not_there_is_told_on_the_users_screen(screen):
    with Demo(guest="pattern", config="[libvirt]\nuri = qemu+unix:///system?socket=/nonexistent\n") as demo:
        give_machine(demo, demo.user())
        with XFreeRdp(screen, demo, XFreeRdp.GFX) as client:
            reason = why_not(demo, "machine")
            assert reason.startswith("libvirt is not running on the server: start libvirtd."), reason
            greeter.wait_sentence(client, "failed", reason, "machine")


def test_a_qemu_that_is_not_installed_is_told_on_the_users_screen(screen):
    with LibvirtWithoutQemu() as libvirt, Demo(guest="pattern", config=f"[libvirt]\nuri = {libvirt.uri}\n") as demo:
        give_machine(demo, demo.user())
        with XFreeRdp(screen, demo, XFreeRdp.GFX) as client:
            reason = why_not(demo, "machine")
            assert reason.startswith("QEMU is not installed: install the package qemu-system-x86."), reason
            greeter.wait_sentence(client, "failed", reason, "machine")


def test_a_database_of_a_newer_version_is_refused_in_words():
    with Demo(guest="pattern") as demo:
        demo.stop()
        database = sqlite3.connect(f"{demo.directory}/state/fernwerk.db")
        database.execute("PRAGMA user_version = 9999")
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE name LIKE '%version%'"
                                                      " OR name LIKE '%migration%'")]
        for table in tables:
            columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
            database.execute(f"UPDATE {table} SET {columns[0]} = 9999")
        database.commit()
        database.close()
        with pytest.raises(AssertionError, match="newer"):
            demo.start()
