"""The browser: log in, land in the desktop, the same walk as every client's, H.264 and Tight; the API's guards."""

import json
import ssl
import time
import urllib.error
import urllib.request

import pytest

from lib import card, walk
from lib.browser import Browser
from lib.wait import until

OPTIONS = {"guest": "tiny", "keymap": "de"}
# Without WebCodecs the page has no H.264 decoder and must fall back.
NO_H264 = ["VideoDecoder"]
AVC_PSNR = 30
F8 = "\ue038"


def wait_size(vm, page):
    """The desktop has the canvas's size."""
    def same():
        pixels = page.canvas_pixels()
        return pixels is not None and vm.serial.size() == (pixels.shape[1], pixels.shape[0])
    until(same, 15, lambda: f"the guest's size {vm.serial.size()}")


def frozen(page, vm):
    mark = vm.serial.mark()
    page.press(F8)
    vm.serial.wait_sequence(["KEY 66 1", "KEY 66 0"], mark)


def melted(page, vm):
    """Lets a card move that an earlier test left frozen."""
    if card.is_frozen(vm.screenshot()):
        frozen(page, vm)


@pytest.mark.parametrize("without, psnr", [([], AVC_PSNR), (NO_H264, AVC_PSNR)], ids=["h264", "tight"])
def test_the_page_shows_the_vm_and_types_into_it(demo, without, psnr):
    vm = demo.vm()
    begin = vm.serial.mark()
    with Browser(demo, without=without) as page:
        page.log_in(demo.user()["name"], demo.user()["password"])
        page.wait_card()
        wait_size(vm, page)
        page.pointer(page.width // 2, page.height // 2)
        melted(page, vm)
        first = until(lambda: card.frame_number(page.canvas_pixels()), 10, "a frame number")
        until(lambda: (card.frame_number(page.canvas_pixels()) or 0) > first + 5, 10, "moving frames")
        stats = page.stats()
        assert set(stats) >= {"encoding", "frames", "bytes", "rttMs"}
        assert page.stats()["encoding"] == "tight"  # the card is text; test_film has what goes as H.264
        frozen(page, vm)
        until(lambda: card.psnr(page.canvas_pixels(), vm.screenshot()) >= psnr, 15,
              lambda: card.difference(page.canvas_pixels(), vm.screenshot()))

        mark = vm.serial.mark()
        page.press("a")
        walk.arrives(vm, mark, [30])
        mark = vm.serial.mark()
        page.pointer(300, 411)
        vm.serial.wait(r"PTR \d+ \d+ 1", mark)
        vm.serial.wait(r"PTR \d+ \d+ 0", mark)
        page.keys(("down", "b"))
        vm.serial.wait("KEY 48 1", mark)
        number, pid = card.frame_number(vm.screenshot()), vm.qemu_pid()
    until(lambda: walk.no_key_is_held(vm, begin), 10, "the release of the held key")
    with Browser(demo, without=without) as page:
        page.log_in(demo.user()["name"], demo.user()["password"])
        page.wait_card()
        assert vm.qemu_pid() == pid
        assert until(lambda: card.frame_number(page.canvas_pixels()), 10, "a frame number") == number


@pytest.mark.shipped
def test_german_characters_arrive_from_the_page(demo):
    vm = demo.vm()
    with Browser(demo) as page:
        page.log_in(demo.user()["name"], demo.user()["password"])
        page.wait_card()
        page.pointer(page.width // 2, page.height // 2)
        level3 = ("AltRight", "AltGraph")
        for keys, name in (([level3, ("KeyQ", "@")], "at"), ([level3, ("Digit7", "{")], "braceleft"),
                           ([("Minus", "ß")], "ssharp"), ([("KeyZ", "y")], "y")):
            mark = vm.serial.mark()
            page.stroke(*keys)
            walk.arrives(vm, mark, walk.GERMAN[name])


@pytest.mark.shipped
def test_a_wrong_password_is_told_in_the_page(demo):
    with Browser(demo) as page:
        page.log_in(demo.user()["name"], "wrong")
        until(lambda: "The name or the password is wrong." in page.text(), 20, page.text)
        assert not page.find_all("canvas")
        assert page.script("return location.pathname") == "/login"


def sessions(demo):
    return [entry["id"] for entry in demo.cli("session", "list")]


# A decoder that is behind when the connection closes: the reason still waits in the page's queue then.
SLOW_DECODER = """
const decode = VideoDecoder.prototype.decode;
VideoDecoder.prototype.decode = function (chunk) {
  setTimeout(() => this.state === "configured" && decode.call(this, chunk), 250);
};
"""


@pytest.mark.shipped
@pytest.mark.parametrize("script", ["", SLOW_DECODER], ids=["", "slow-decoder"])
def test_a_killed_session_stays_ended_until_the_user_connects_again(demo, script):
    user = demo.user()
    with Browser(demo) as page:
        page.log_in(user["name"], user["password"])
        page.wait_card()
        page.script(script)
        time.sleep(2)
        demo.cli("session", "kill", sessions(demo)[0])
        until(lambda: "The session has ended" in page.text(), 20, page.text)
        assert "An administrator ended this session." in page.text()
        time.sleep(3)
        assert "The session has ended" in page.text() and sessions(demo) == []
        page.click(page.accessible("button", "Connect again"))
        page.wait_card()
        until(lambda: len(sessions(demo)) == 1, 10, "a session")


@pytest.mark.shipped
def test_a_desktop_continued_in_another_browser_can_be_taken_back(demo):
    user = demo.user()
    with Browser(demo) as one, Browser(demo) as two:
        one.log_in(user["name"], user["password"])
        one.wait_card()
        two.log_in(user["name"], user["password"])
        two.wait_card()
        until(lambda: "Continued on another device" in one.text(), 20, one.text)
        time.sleep(3)
        assert "Continued on another device" in one.text() and len(sessions(demo)) == 1
        assert "Continued on another device" not in two.text()
        one.click(one.accessible("button", "Continue here"))
        one.wait_card()
        until(lambda: "Continued on another device" in two.text(), 20, two.text)


def request(demo, method, path, body=None, headers=None):
    """Status, headers and body of a plain HTTPS request to the demo, without a browser's help."""
    context = ssl.create_default_context(cafile=demo.json["ca"])
    context.check_hostname = False
    url = f"https://{demo.host}:{demo.json['https']}{path}"
    message = urllib.request.Request(url, json.dumps(body).encode() if body is not None else None,
                                     {"Content-Type": "application/json", **(headers or {})}, method=method)
    try:
        with urllib.request.urlopen(message, timeout=20, context=context) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def test_pages_are_guarded_by_a_strict_policy(demo):
    status, headers, _ = request(demo, "GET", "/")
    assert status == 200
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy or "default-src 'self'" in policy
    assert "unsafe-inline" not in policy and "unsafe-eval" not in policy.replace("wasm-unsafe-eval", "")


def test_the_session_cookie_is_bound_to_the_host_and_hidden_from_scripts(demo):
    user = demo.user()
    origin = f"https://{demo.host}:{demo.json['https']}"
    status, headers, _ = request(demo, "POST", "/api/v1/session",
                                 {"username": user["name"], "password": user["password"]}, {"Origin": origin})
    assert status == 200
    cookie = headers["Set-Cookie"]
    assert cookie.startswith("__Host-")
    assert all(word in cookie for word in ("Secure", "HttpOnly", "SameSite"))


def test_the_api_denies_strangers_and_foreign_origins(demo):
    assert request(demo, "GET", "/api/v1/desktops")[0] == 401
    assert request(demo, "GET", "/api/v1/admin/users")[0] in (401, 403)
    user = demo.user()
    status, _, _ = request(demo, "POST", "/api/v1/session", {"username": user["name"], "password": user["password"]},
                           {"Origin": "https://elsewhere.example"})
    assert status == 403
