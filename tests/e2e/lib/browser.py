"""Chromium, driven by chromedriver over the WebDriver protocol (https://www.w3.org/TR/webdriver2/)."""

import base64
import http.client
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import numpy
from PIL import Image

from lib import card
from lib.wait import PATIENCE, until

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


STARTS = 5
DRIVER_S = 10
SESSION_S = 40  # the driver itself gives Chromium 60 s to come up; lib.wait stretches all of these
COMMAND_S = 60
END_S = 10


class WebDriverError(Exception):
    pass


def session_members(leader):
    """The processes that the leader's session still has."""
    members = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.getsid(int(name)) == leader:
                members.append(int(name))
        except ProcessLookupError:
            pass
    return members


class Browser:
    """`with Browser(demo) as page:` opens a fresh Chromium without cookies: headless, or with a screen (lib.screen) filling
    its top left corner with nothing but the page."""

    def __init__(self, demo, width=1024, height=768, arguments=(), touch=False, without=(), screen=None):
        self.demo, self.width, self.height, self.touch, self.screen = demo, width, height, touch, screen
        self.arguments = list(arguments)
        self.without = list(without)  # names that pages shall not find in their window
        self.home = self.driver = None

    def __enter__(self):
        for left in reversed(range(STARTS)):
            try:
                self.start()
                break
            except (WebDriverError, OSError, http.client.HTTPException) as error:
                told = f"no browser: {error!r}\n{self.output()}"
                self.kill()
                if left == 0:
                    raise WebDriverError(told) from error
                print(f"another start: {told}", file=sys.stderr)
            except BaseException:
                self.kill()
                raise
        try:
            if not self.touch and not self.screen:
                self.fit()
            for name in self.without:
                self.call("POST", "/goog/cdp/execute", {"cmd": "Page.addScriptToEvaluateOnNewDocument",
                                                        "params": {"source": f"delete self.{name};"}})
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, *_):
        try:
            self.call("DELETE", "")
        except (WebDriverError, OSError, http.client.HTTPException):
            pass
        self.driver.terminate()
        try:
            self.driver.wait(END_S * PATIENCE)
        except subprocess.TimeoutExpired:
            pass
        self.kill()

    def start(self):
        """A chromedriver, and a Chromium with a fresh profile by it."""
        self.home = tempfile.mkdtemp(prefix="fernwerk-chromium-")
        with open(self.log(), "wb") as log:
            self.driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=log, stderr=log, start_new_session=True,
                                           env={**(self.screen.env if self.screen else os.environ), "HOME": self.home})
        self.base = f"http://127.0.0.1:{self.port()}"
        capabilities = {"browserName": "chrome", "acceptInsecureCerts": True, "goog:chromeOptions": self.options()}
        value = self.send("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}}, SESSION_S)
        self.session = f"/session/{value['sessionId']}"

    def options(self):
        shown = ["--kiosk", "--window-position=0,0"] if self.screen else ["--headless=new"]
        arguments = [*shown, "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                     f"--user-data-dir={self.home}/profile", f"--window-size={self.width},{self.height}",
                     *self.arguments]
        options = {"binary": shutil.which("chromium"), "args": arguments}
        if self.screen:  # no bar that says who drives it
            options["excludeSwitches"] = ["enable-automation"]
        if self.touch:
            options["mobileEmulation"] = {"deviceMetrics": {"width": self.width, "height": self.height,
                                                            "pixelRatio": 1.0, "touch": True}}
        return options

    def log(self):
        return os.path.join(self.home, "chromedriver.log")

    def output(self):
        with open(self.log(), encoding="utf-8", errors="replace") as log:
            return log.read()

    def port(self):
        """Where the driver listens; it ends when another process is quicker with the port that it has chosen."""
        deadline = time.monotonic() + DRIVER_S * PATIENCE
        while time.monotonic() < deadline:
            over = self.driver.poll() is not None
            found = re.search(r"successfully on port (\d+)", self.output())
            if found:
                return int(found[1])
            if over:
                raise WebDriverError(f"chromedriver has ended with {self.driver.returncode}")
            time.sleep(0.05)
        raise WebDriverError("chromedriver does not say that it has started")

    def kill(self):
        """Whatever is left of the driver's session, Chromium included."""
        for pid in session_members(self.driver.pid) if self.driver else ():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if self.driver:
            self.driver.wait()
        self.driver = None
        shutil.rmtree(self.home, ignore_errors=True)

    def send(self, method, path, body=None, seconds=COMMAND_S):
        data = json.dumps(body or {}).encode() if method == "POST" else None
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=seconds * PATIENCE) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise WebDriverError(json.load(error)["value"]["message"]) from None

    def call(self, method, path, body=None):
        return self.send(method, self.session + path, body)

    def fit(self):
        """Makes the page, not the window, width x height px."""
        inner = self.script("return [window.innerWidth, window.innerHeight]")
        self.call("POST", "/window/rect", {"width": 2 * self.width - inner[0], "height": 2 * self.height - inner[1]})

    def url(self, path="/"):
        return f"https://{self.demo.host}:{self.demo.json['https']}{path}"

    def open(self, path="/"):
        self.call("POST", "/url", {"url": self.url(path)})

    def script(self, code, *arguments):
        return self.call("POST", "/execute/sync", {"script": code, "args": list(arguments)})

    def promise(self, code, *arguments):
        """The value that the asynchronous function body `code` returns."""
        wrapped = ("const done = arguments[arguments.length - 1];"
                   f"(async function () {{ {code} }})(...arguments).then(done, e => done('error: ' + e));")
        return self.call("POST", "/execute/async", {"script": wrapped, "args": list(arguments)})

    def find(self, xpath):
        try:
            return self.call("POST", "/element", {"using": "xpath", "value": xpath})[ELEMENT]
        except WebDriverError:
            return None

    def find_all(self, css):
        return [entry[ELEMENT] for entry in self.call("POST", "/elements", {"using": "css selector", "value": css})]

    def accessible(self, role, name, seconds=20):
        """The displayed element with this computed role and accessible name, as assistive technology finds it."""
        selectors = {"textbox": "input,textarea", "button": "button,[role=button],input[type=submit]",
                     "link": "a", "combobox": "select,[role=combobox]"}

        def look():
            for element in self.find_all(selectors[role]):
                try:
                    if self.call("GET", f"/element/{element}/computedlabel").strip() == name and \
                            self.call("GET", f"/element/{element}/displayed"):
                        return element
                except WebDriverError:
                    continue
            return None
        return until(look, seconds, lambda: f"a {role} named {name!r} in:\n{self.text()}")

    def choose(self, name, option):
        """Chooses from the select element of this accessible name."""
        element = self.accessible("combobox", name)
        self.script("const [element, text] = arguments; const options = [...element.options];"
                    "const set = Object.getOwnPropertyDescriptor(HTMLSelectElement.prototype, 'value').set;"
                    "set.call(element, options.find(o => o.text === text).value);"
                    "element.dispatchEvent(new Event('change', { bubbles: true }));", {ELEMENT: element}, option)

    def text(self):
        return self.script("return document.body ? document.body.innerText : ''")

    def click(self, element):
        self.call("POST", f"/element/{element}/click")

    def type(self, element, text):
        self.call("POST", f"/element/{element}/value", {"text": text})

    def log_in(self, name, password):
        self.open()
        self.type(self.accessible("textbox", "Username"), name)
        self.type(self.accessible("textbox", "Password"), password)
        self.click(self.accessible("button", "Log in"))

    def picture(self):
        """The page as shown."""
        data = base64.b64decode(self.call("GET", "/screenshot"))
        return numpy.asarray(Image.open(io.BytesIO(data)).convert("RGB"))

    def canvas(self):
        """What the viewer's only canvas shows, as the page shows it; None while there is none."""
        found = self.find_all("canvas")
        assert len(found) <= 1, f"{len(found)} canvases"
        if not found:
            return None
        data = base64.b64decode(self.call("GET", f"/element/{found[0]}/screenshot"))
        return numpy.asarray(Image.open(io.BytesIO(data)).convert("RGB"))

    def canvas_pixels(self):
        """The canvas's own pixels, whatever scale the page shows them in."""
        data = self.script("const c = document.querySelector('canvas'); return c && c.width ? c.toDataURL() : null")
        if not data:
            return None
        return numpy.asarray(Image.open(io.BytesIO(base64.b64decode(data.partition(",")[2]))).convert("RGB"))

    def wait_card(self, seconds=40):
        def shown():
            pixels = self.canvas_pixels()
            return pixels is not None and card.is_card(pixels)
        until(shown, seconds, lambda: f"the card in the page, which says:\n{self.text()}\n{self.demo.log_tail()}", 0.1)

    def stats(self):
        return self.script("return window.fernwerk && window.fernwerk.stats()")

    def keys(self, *steps):
        """Key actions: ("down", value) and ("up", value) in WebDriver's notation."""
        actions = [{"type": f"key{direction.capitalize()}", "value": value} for direction, value in steps]
        self.call("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def press(self, value):
        self.keys(("down", value), ("up", value))

    def stroke(self, *keys):
        """Presses keys in turn and releases them backwards, each (code, key) as a keyboard with its layout gives them.

        WebDriver's own key actions know the US layout alone.
        """
        virtual = {"AltGraph": 18, "Control": 17, "Shift": 16}
        for kind, order in (("keyDown", keys), ("keyUp", reversed(keys))):
            for code, key in order:
                event = {"type": kind if len(key) == 1 or kind == "keyUp" else "rawKeyDown", "code": code, "key": key,
                         "windowsVirtualKeyCode": virtual.get(key, ord(key[0])),
                         "location": 2 if code.endswith("Right") else 0}
                if len(key) == 1 and kind == "keyDown":
                    event["text"] = key
                self.call("POST", "/goog/cdp/execute", {"cmd": "Input.dispatchKeyEvent", "params": event})

    def pointer(self, x, y, button=0, kind="mouse"):
        """A click at a point of the page."""
        actions = [{"type": "pointerMove", "duration": 0, "x": x, "y": y},
                   {"type": "pointerDown", "button": button}, {"type": "pause", "duration": 50},
                   {"type": "pointerUp", "button": button}]
        self.call("POST", "/actions", {"actions": [{"type": "pointer", "id": kind, "parameters": {"pointerType": kind},
                                                    "actions": actions}]})
