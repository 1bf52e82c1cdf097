// The pages in a real Chromium against a node in miniature (tests/unit/web/node.py): every page at desktop and phone
// size, the viewer's picture, keys, touch, reconnecting, takeover. With SHOTS=DIR it leaves screenshots there.
import assert from "node:assert/strict";
import { mkdtempSync, mkdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const base = process.argv[2];
const shots = process.env.SHOTS;
const profile = mkdtempSync(join(tmpdir(), "fernwerk-chromium-"));
if (shots) mkdirSync(shots, { recursive: true });

const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];

// Deadlines are for a slow and busy machine: waiting longer costs nothing where all is well.
const STEP_MS = 90_000;
const LAUNCH_MS = 60_000;
const LAUNCHES = 5;
const TEST_MS = 400_000;

const contexts = new Set();
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// What the promise comes to, or an error that says what did not happen: for what has no deadline of its own.
async function within(ms, what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${ms / 1000} s: ${what}`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

async function until(condition, what, everyMs = 100) {
  for (const end = Date.now() + STEP_MS; !(await condition()); await pause(everyMs)) {
    if (Date.now() > end) throw new Error(`not within ${STEP_MS / 1000} s: ${what}`);
  }
}

// Chromium that does not come up in time is started anew, with a fresh profile.
async function launch(options) {
  for (let left = LAUNCHES - 1; ; left--) {
    try {
      return await chromium.launchPersistentContext(mkdtempSync(join(profile, "p")), {
        executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", headless: true, args: flags, timeout: LAUNCH_MS,
        ignoreHTTPSErrors: true, baseURL: base, viewport: { width: 1280, height: 800 }, locale: "de-DE", ...options,
      });
    } catch (error) {
      if (left === 0) throw error;
      console.log(`again: Chromium has not come up: ${error.message}`);
      await pause(1000);
    }
  }
}

async function open(options = {}) {
  const context = await launch(options);
  contexts.add(context);
  context.setDefaultTimeout(STEP_MS);
  if (process.env.VERBOSE) context.on("console", (m) => console.log("console:", m.text()));
  const page = context.pages()[0] ?? (await within(STEP_MS, "a new page", context.newPage()));
  page.problems = [];
  page.on("pageerror", (error) => page.problems.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" && !/Failed to load resource|WebSocket connection|Connection closed \(code: 1013/.test(message.text())) {
      page.problems.push(message.text());
    }
  });
  return { context, page };
}

const phone = { viewport: { width: 360, height: 640 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };
const shot = async (page, name) => {
  if (shots) await page.screenshot({ path: join(shots, `${name}.png`) });
};

async function login(page, user) {
  await page.goto("/");
  await page.getByLabel("Username").fill(user);
  await page.getByLabel("Password", { exact: true }).fill(`${user}-password`);
  await page.getByRole("button", { name: "Log in", exact: true }).click();
}

async function logInAgain(page, user) {
  await page.waitForURL("**/login");
  await page.getByText("Your session has ended. Log in again.").waitFor();
  await page.getByLabel("Username").fill(user);
  await page.getByLabel("Password", { exact: true }).fill(`${user}-password`);
  await page.getByRole("button", { name: "Log in", exact: true }).click();
}

async function live(page) {
  await page.waitForFunction(() => (window.fernwerk?.stats().frames ?? 0) > 0);
}

// The page itself is there, and so is what it has asked for.
async function filled(page) {
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.waitForFunction(() => !document.querySelector(".pf-v6-c-skeleton, [role=progressbar]"));
}

const stats = (page) => page.evaluate(() => window.fernwerk.stats());

const connections = async () => Number(await control("connections"));
const anotherConnection = (before) => until(async () => (await connections()) !== before, "another connection", 50);

// What was typed since "forget-keys" has come to `text`, and nothing more comes.
async function typed(text) {
  await until(async () => (await control("keys")).length >= text.length, `typed: ${text}`);
  await pause(300);
  assert.equal(await control("keys"), text);
}

const tests = {
  async "a wrong password is told, and a wait is counted down"() {
    const { context, page } = await open();
    await page.goto("/");
    await page.waitForURL("**/login");
    await shot(page, "login");
    await page.getByLabel("Username").fill("alice");
    await page.getByLabel("Password", { exact: true }).fill("nonsense");
    await page.getByRole("button", { name: "Log in", exact: true }).click();
    await page.getByText("The user name or password is wrong.").waitFor();
    await page.getByLabel("Username").fill("slow");
    await page.getByLabel("Password", { exact: true }).fill("x");
    await page.getByRole("button", { name: "Log in", exact: true }).click();
    await page.getByText(/Try again in \d+ s/).waitFor();
    await shot(page, "login-wait");
    await page.getByText("About this server's certificate").click();
    await page.getByText("Download its certificate authority").waitFor();
    assert.equal(await page.locator("code.fw-fingerprint").count(), 2);
    await page.getByText("The authority's SHA-256 fingerprint").waitFor();
    await shot(page, "login-certificate");
    return { context, page };
  },

  async "a user with one desktop is in it after login, with one canvas and true figures"() {
    const { context, page } = await open();
    await login(page, "alice");
    await page.waitForURL("**/view/d1");
    await live(page);
    assert.equal(await page.locator("canvas").count(), 1);
    const first = await stats(page);
    assert.equal(first.encoding, "raw");
    assert.ok(first.bytes > 100_000, `bytes ${first.bytes}`);
    await page.waitForFunction((n) => window.fernwerk.stats().frames > n + 3, first.frames);
    await shot(page, "viewer");
    await page.getByRole("button", { name: "Scaling and quality" }).click();
    await page.getByText("Actual size (1:1)").waitFor();
    await page.waitForTimeout(300);
    await shot(page, "viewer-menu");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Ctrl", exact: true }).click();
    await page.getByRole("button", { name: "Tab", exact: true }).click();
    await page.getByRole("button", { name: "Disconnect" }).click();
    await page.waitForURL("**/desktops");
    return { context, page };
  },

  async "a break is mended without the user"() {
    const { context, page } = await open();
    await login(page, "alice");
    await live(page);
    const before = await connections();
    assert.equal(await control("drop"), "1");
    await anotherConnection(before);
    await live(page);
    assert.equal(await page.locator("canvas").count(), 1);
    return { context, page };
  },

  async "a server that accepts and then says nothing is asked anew"() {
    await control("mute");
    const { context, page } = await open();
    await login(page, "alice");
    await live(page);
    return { context, page };
  },

  async "a session that an administrator ended stays ended until the user wants it back"() {
    const { context, page } = await open();
    await login(page, "alice");
    await live(page);
    await control("kill");
    await page.getByText("The session has ended").waitFor();
    await shot(page, "viewer-ended");
    await page.getByRole("button", { name: "Connect again" }).click();
    await live(page);
    return { context, page };
  },

  async "a desktop continued elsewhere is given up, and can be taken back"() {
    const one = await open();
    await login(one.page, "alice");
    await live(one.page);
    await one.page.waitForTimeout(1500);
    const two = await open();
    await login(two.page, "alice");
    await live(two.page);
    await one.page.getByText("Continued on another device").waitFor();
    await shot(one.page, "viewer-taken");
    await one.page.getByRole("button", { name: "Continue here" }).click();
    await live(one.page);
    await two.page.getByText("Continued on another device").waitFor();
    await two.context.close();
    return one;
  },

  async "a connection that dies without a word is noticed, and at once when there is reason to doubt"() {
    const { context, page } = await open();
    await login(page, "alice");
    await live(page);
    await page.waitForFunction(() => window.fernwerk.stats().rttMs !== null);
    const took = [];
    for (const doubt of [true, false]) {
      const before = await connections();
      const sent = Number(await control("freeze"));
      await page.waitForFunction((n) => window.fernwerk.stats().bytes === n, sent); // no sign of life is on its way
      const begin = Date.now();
      if (doubt) await page.evaluate(() => window.dispatchEvent(new Event("online")));
      await anotherConnection(before);
      took.push(Date.now() - begin);
      await live(page);
      await page.waitForFunction(() => window.fernwerk.stats().rttMs !== null);
    }
    assert.ok(took[0] > 2_500 && took[1] > 8_000 && took[0] < took[1], `noticed after ${took.join(" and ")} ms`);
    return { context, page };
  },

  async "doubts that follow one another do not end a connection"() {
    const { context, page } = await open();
    await login(page, "alice");
    await live(page);
    await page.waitForFunction(() => window.fernwerk.stats().rttMs !== null);
    const before = await connections();
    for (let round = 0; round < 3; round++) {
      await page.evaluate(() => {
        window.dispatchEvent(new Event("online"));
        window.dispatchEvent(new Event("online"));
      });
      await page.waitForTimeout(1500);
    }
    assert.equal(await connections(), before);
    return { context, page };
  },

  async "a desktop that breaks off each time is tried less and less often"() {
    const { context, page } = await open();
    await control("fragile");
    await login(page, "alice");
    await live(page);
    const gaps = JSON.parse(await control("gaps"));
    assert.equal(gaps.length, 4);
    assert.ok(gaps[3] >= 3200, `tried again after ${gaps.join(", ")} ms`);
    return { context, page };
  },

  async "a call that is never answered ends, with words"() {
    const { context, page } = await open();
    await login(page, "bob");
    await page.waitForURL("**/desktops");
    await page.route("**/api/v1/desktops", () => undefined);
    await page.reload();
    await page.getByText("The server cannot be reached.").waitFor();
    return { context, page };
  },

  async "a server without room is told as the reason"() {
    await control("full");
    const { context, page } = await open();
    try {
      await login(page, "alice");
      await page.getByText("The server has no room for another connection.").waitFor();
      await shot(page, "viewer-full");
    } finally {
      await control("room");
    }
    await live(page);
    return { context, page };
  },

  async "held keys are let go after a break"() {
    const { context, page } = await open();
    await login(page, "alice");
    await live(page);
    const key = page.getByRole("button", { name: "Ctrl", exact: true });
    await key.click();
    assert.equal(await key.getAttribute("aria-pressed"), "true");
    const before = await connections();
    await control("drop");
    await anotherConnection(before);
    await live(page);
    await until(async () => (await key.getAttribute("aria-pressed")) === "false", "the key is let go");
    return { context, page };
  },

  async "questions about power are seen in full screen"() {
    const { context, page } = await open();
    await login(page, "alice");
    await live(page);
    await page.getByRole("button", { name: "Full screen" }).click();
    await page.waitForFunction(() => document.fullscreenElement !== null);
    await page.getByRole("button", { name: "Power" }).click();
    await page.getByRole("menuitem", { name: /^Reset\s*Reboots at once, unsaved work is lost/ }).click();
    await page.getByRole("dialog").waitFor();
    const inside = await page.evaluate(
      () => document.fullscreenElement.contains(document.querySelector("[role=dialog]")));
    assert.ok(inside, "the dialog is behind the full screen");
    await page.getByText("Files on its disk stay.").waitFor();
    await page.waitForTimeout(300);
    await shot(page, "viewer-full-screen-question");
    await page.getByRole("button", { name: "Reset", exact: true }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    return { context, page };
  },

  async "only what makes sense can be done to a desktop"() {
    const { context, page } = await open();
    await login(page, "bob");
    await page.waitForURL("**/desktops");
    const rdp = "Download .rdp file";
    for (const [desktop, expected] of [["build", ["Start", rdp]], ["office", ["Restart", "Shut down", "Reset", rdp]]]) {
      await page.getByRole("button", { name: `More for ${desktop}` }).click();
      await page.getByRole("menuitem").first().waitFor();
      const enabled = [];
      for (const item of await page.getByRole("menuitem").all()) {
        if (await item.isEnabled()) enabled.push((await item.innerText()).split("\n")[0].trim());
      }
      assert.deepEqual(enabled, expected, desktop);
      await page.keyboard.press("Escape");
      await page.getByRole("menuitem").first().waitFor({ state: "detached" });
    }
    return { context, page };
  },

  async "who is logged out by the server is told so and comes back to where he was"() {
    const { context, page } = await open();
    await login(page, "root");
    await page.waitForURL("**/desktops");
    await page.goto("/admin/users");
    await page.getByRole("button", { name: "Add user" }).waitFor();
    await control("expire");
    await page.waitForURL("**/login");
    await shot(page, "login-expired");
    await logInAgain(page, "root");
    await page.waitForURL("**/admin/users");
    const logOut = async () => {
      await page.getByRole("button", { name: "Account of root" }).click();
      await page.getByRole("menuitem", { name: "Log out" }).click();
    };
    await page.route("**/api/v1/session", (route) => route.abort());
    await logOut();
    await page.getByText("You may still be logged in. The server cannot be reached.").waitFor();
    await shot(page, "logout-failed");
    await page.unroute("**/api/v1/session");
    await logOut();
    await page.waitForURL("**/login");
    assert.equal(await page.getByText("Your session has ended").count(), 0);
    await login(page, "bob");
    await page.waitForURL("**/desktops");
    await page.goto("/view/office");
    await live(page);
    await control("expire");
    await control("drop");
    await logInAgain(page, "bob");
    await page.waitForURL("**/view/office");
    await live(page);
    return { context, page };
  },

  async "an assigned desktop is given to another, and a template may have boot settings"() {
    const { context, page } = await open();
    await login(page, "root");
    await page.waitForURL("**/desktops");
    await page.goto("/admin/desktops");
    const row = page.getByRole("row", { name: /^lab / });
    for (const [from, to] of [["bob", "many"], ["many", "bob"]]) {
      await row.getByRole("button", { name: "Kebab toggle" }).click();
      await page.getByRole("menuitem", { name: "Assign…", exact: true }).click();
      await page.getByLabel("User", { exact: true }).selectOption(to);
      await page.getByText(`It is taken from ${from} first`).waitFor();
      await page.waitForTimeout(300);
      await shot(page, "admin-reassign");
      await page.getByRole("button", { name: "Reassign" }).click();
      await row.getByRole("cell", { name: to }).or(row.getByRole("gridcell", { name: to })).first().waitFor();
    }
    await row.getByRole("button", { name: "Kebab toggle" }).click();
    await page.getByRole("menuitem", { name: "Assign…", exact: true }).click();
    await page.getByLabel("User", { exact: true }).selectOption("many");
    await page.route("**/assignment", (route) => (route.request().method() === "PUT" ? route.abort() : route.continue()));
    await page.getByRole("button", { name: "Reassign" }).click();
    await page.getByText("It was taken from bob and is now unassigned: The server cannot be reached.").waitFor();
    await shot(page, "admin-reassign-failed");
    await page.unroute("**/assignment");
    await page.getByLabel("User", { exact: true }).selectOption("bob");
    await page.getByRole("dialog").getByRole("button", { name: "Assign", exact: true }).click();
    await row.getByRole("cell", { name: "bob" }).or(row.getByRole("gridcell", { name: "bob" })).first().waitFor();

    await page.goto("/admin/templates");
    await page.getByRole("button", { name: "Add template" }).click();
    const dialog = page.getByRole("dialog");
    const add = dialog.getByRole("button", { name: "Add", exact: true });
    await dialog.getByLabel("Name", { exact: true }).fill("direct");
    assert.ok(await add.isDisabled(), "a virtual machine needs an image or a kernel");
    await dialog.getByRole("button", { name: "Boot and hardware" }).click();
    await dialog.getByLabel(/^Kernel \(path/).fill("/boot/vmlinuz");
    await dialog.getByLabel("Initial RAM file system").fill("/boot/initrd.img");
    await dialog.getByLabel("Kernel command line").fill("quiet");
    await dialog.getByLabel("Firmware").selectOption("uefi");
    await dialog.getByLabel("Graphics card").selectOption("vga");
    await dialog.getByLabel("Keyboard variant").fill("nodeadkeys");
    await page.waitForTimeout(300);
    await shot(page, "admin-add-template");
    const sent = page.waitForRequest((request) => request.method() === "POST");
    await add.click();
    const { kernel, initrd, cmdline, firmware, video, xkb_variant } = (await sent).postDataJSON();
    assert.deepEqual([kernel, initrd, cmdline, firmware, video, xkb_variant],
      ["/boot/vmlinuz", "/boot/initrd.img", "quiet", "uefi", "vga", "nodeadkeys"]);
    await page.getByRole("row", { name: /^direct / }).waitFor();
    return { context, page };
  },

  async "the on-screen keyboard opens and closes, and words are typed while they are composed"() {
    const { context, page } = await open(phone);
    await login(page, "alice");
    await live(page);
    const button = page.getByRole("button", { name: "Keyboard" });
    await button.tap();
    await page.waitForFunction(() => document.activeElement?.tagName === "TEXTAREA");
    const cdp = await context.newCDPSession(page);
    await control("forget-keys");
    for (const text of ["h", "ha", "hal", "hall", "hell"]) {
      await cdp.send("Input.imeSetComposition", { text, selectionStart: text.length, selectionEnd: text.length });
    }
    await typed("hall<<<ell");
    await cdp.send("Input.insertText", { text: "hello " });
    await cdp.send("Input.imeSetComposition", { text: "w", selectionStart: 1, selectionEnd: 1 });
    await cdp.send("Input.insertText", { text: "world" });
    await page.keyboard.press("Backspace");
    await typed("hall<<<ello world<");
    await button.tap();
    await page.waitForFunction(() => document.activeElement?.tagName !== "TEXTAREA");
    return { context, page };
  },

  async "a picture larger than a phone is moved by a finger"() {
    const { context, page } = await open(phone);
    await page.addInitScript(() => localStorage.setItem("fernwerk.scaling", "one"));
    await login(page, "alice");
    await live(page);
    const canvas = page.locator("canvas");
    const box = await canvas.boundingBox();
    assert.ok(box.width <= 360 && box.height <= 640, `the canvas is ${box.width} x ${box.height}`);
    const green = () => page.evaluate(() => {
      const c = document.querySelector("canvas");
      return c.getContext("2d").getImageData(c.width - 5, c.height - 5, 1, 1).data[1];
    });
    const cdp = await context.newCDPSession(page);
    const swipe = async () => {
      const touch = (type, y) => cdp.send("Input.dispatchTouchEvent", { type, touchPoints: type === "touchEnd" ? [] : [{ x: 180, y }] });
      await touch("touchStart", 500);
      for (let y = 490; y >= 200; y -= 10) await touch("touchMove", y);
      await touch("touchEnd", 200);
    };
    const first = await green();
    await swipe();
    await page.waitForTimeout(500);
    assert.equal(await green(), first, "without the switch a finger is the mouse");
    await page.getByRole("button", { name: "Move the picture" }).tap();
    await until(async () => {
      await swipe(); // a slow one is a long press
      await page.waitForTimeout(500);
      return (await green()) > first + 10;
    }, "the picture has moved");
    await shot(page, "phone-moved");
    return { context, page };
  },

  async "tiles show several desktops"() {
    const { context, page } = await open();
    await login(page, "bob");
    await page.waitForURL("**/desktops");
    await page.locator("img.fw-thumbnail").waitFor();
    assert.equal(await page.getByRole("heading", { level: 2 }).count(), 3);
    await shot(page, "desktops");
    await page.goto("/account");
    await page.getByLabel("Current password").waitFor();
    await shot(page, "account");
    return { context, page };
  },

  async "an administrator sees and changes everything"() {
    const { context, page } = await open();
    await login(page, "root");
    for (const part of ["users", "templates", "desktops", "sessions", "encoders", "audit", "status"]) {
      await page.goto(`/admin/${part}`);
      await filled(page);
      await page.waitForTimeout(300);
      await shot(page, `admin-${part}`);
    }
    await page.goto("/admin/users");
    await page.getByRole("button", { name: "Add user" }).click();
    await page.getByLabel("Name", { exact: true }).fill("carol");
    await page.getByRole("dialog").getByLabel("Password").fill("carol-password");
    await shot(page, "admin-add-user");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByRole("gridcell", { name: "carol" }).or(page.getByRole("cell", { name: "carol" })).first().waitFor();
    await page.goto("/admin/templates");
    await page.getByRole("button", { name: "Kebab toggle" }).first().click();
    await page.getByRole("menuitem", { name: "Remove…" }).click();
    await page.getByRole("button", { name: "Remove", exact: true }).click();
    await page.getByText("Desktops still use this template.").waitFor();
    await shot(page, "admin-conflict");
    return { context, page };
  },

  async "all of it works at phone size by touch"() {
    const { context, page } = await open(phone);
    await page.goto("/");
    await page.waitForURL("**/login");
    await shot(page, "phone-login");
    await login(page, "alice");
    await live(page);
    assert.equal(await page.locator("canvas").count(), 1);
    await page.waitForTimeout(800);
    await page.getByRole("button", { name: "Keyboard" }).tap();
    await page.waitForFunction(() => document.activeElement?.tagName === "TEXTAREA");
    await page.keyboard.insertText("ß@");
    await page.locator("canvas").tap();
    await shot(page, "phone-viewer");
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= 360, `page is ${wide} px wide`);
    for (const path of ["desktops", "account"]) {
      await page.goto(`/${path}`);
      await filled(page);
      await shot(page, `phone-${path}`);
      assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360, `${path} is too wide`);
    }
    return { context, page };
  },

  async "administration fits a phone"() {
    const { context, page } = await open(phone);
    await login(page, "root");
    await page.waitForURL("**/desktops");
    for (const part of ["users", "desktops", "templates", "status"]) {
      await page.goto(`/admin/${part}`);
      await filled(page);
      await shot(page, `phone-admin-${part}`);
      assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360, `${part} is too wide`);
    }
    return { context, page };
  },

  async "it is dark where the browser asks for it"() {
    const { context, page } = await open({ colorScheme: "dark" });
    await login(page, "root");
    await page.waitForURL("**/desktops");
    await page.goto("/admin/desktops");
    await page.waitForFunction(() => document.documentElement.classList.contains("pf-v6-theme-dark"));
    await shot(page, "dark-admin");
    return { context, page };
  },
};

async function control(command) {
  const signal = AbortSignal.timeout(STEP_MS);
  const response = await fetch(`http://127.0.0.1:${process.argv[3]}/${command}`, { signal });
  return response.text();
}

// For whoever reads about a failure: what the pages showed.
async function tell(context) {
  for (const page of context.pages()) {
    const text = await within(10_000, "the page's text", page.evaluate(() => document.body?.innerText)).catch(String);
    console.log(`at ${page.url()}:\n${text}`);
  }
}

async function closeAll() {
  for (const context of contexts) {
    await within(STEP_MS, "Chromium ends", context.close()).catch((error) => console.log(String(error)));
  }
  contexts.clear();
}

let failed = 0;
const only = process.argv[4];
for (const [name, test] of Object.entries(tests)) {
  if (only && !name.includes(only)) continue;
  for (let left = 1; left >= 0; left--) {
    const begin = Date.now();
    try {
      const { page } = await within(TEST_MS, name, test());
      assert.deepEqual(page.problems, [], "errors on the page's console");
      console.log(`ok    ${name} (${Math.round((Date.now() - begin) / 1000)} s)`);
      left = 0;
    } catch (error) {
      const ended = left > 0 && /browser has been closed/.test(error.message); // Chromium itself
      if (!ended) failed++;
      console.log(`${ended ? "again" : "FAIL"}  ${name}\n${error.stack}`);
      for (const context of contexts) await tell(context);
      if (!ended) left = 0;
    }
    await closeAll();
  }
}
rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
process.exit(failed ? 1 : 0);
