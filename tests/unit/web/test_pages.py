"""Runs web/ui/test/browser.mjs against a node in miniature: test_pages.py FERNWERK_WEB PAGES UI_FOLDER [ONLY]"""
import http.server
import json
import subprocess
import sys
import threading

import node as nodes

program, pages, ui = sys.argv[1:4]
node = nodes.Node(program, pages, config="[limits]\nrate_per_source = 100000")


forgotten = 0


def typed_text():
    """What was typed since /forget-keys; "<" is Backspace."""
    keysyms = [keysym for screen in node.screens for down, keysym in screen.keys if down][forgotten:]
    return "".join("<" if keysym == 0xff08 else chr(keysym & 0xffffff) for keysym in keysyms)


class Control(http.server.BaseHTTPRequestHandler):
    """How the browser's test breaks things."""

    def do_GET(self):
        dropped = len(node.screens) if self.path == "/connections" else 0
        if self.path == "/drop":
            for session in list(node.broker.sessions.values()):
                session["socket"].shutdown(2)
                dropped += 1
        if self.path == "/freeze":
            for screen in node.screens:
                with screen.lock:
                    screen.frozen = True
        if self.path == "/fragile":
            node.fragile, node.gaps = 4, []
        if self.path == "/expire":
            node.broker.handles.clear()
        if self.path in ("/full", "/room"):
            node.refuse_clients = self.path == "/full"
        if self.path == "/mute":
            node.mute_next = True
        if self.path == "/kill":
            for screen in node.screens:
                screen.finish(3, "An administrator has ended this session.")
        if self.path == "/forget-keys":
            global forgotten
            forgotten = sum(down for screen in node.screens for down, _ in screen.keys)
        answer = str(dropped)
        if self.path == "/keys":
            answer = typed_text()
        if self.path == "/freeze":
            answer = str(node.screens[-1].sent)
        if self.path == "/gaps":
            answer = json.dumps([round(gap) for gap in node.gaps])
        self.send_response(200)
        self.end_headers()
        self.wfile.write(answer.encode())

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Control)
threading.Thread(target=server.serve_forever, daemon=True).start()
result = subprocess.run(["node", "test/browser.mjs", f"https://localhost:{node.port}", str(server.server_port),
                         *sys.argv[4:]], cwd=ui)
typed = [key for screen in node.screens for key in screen.keys]
print("keys:", [hex(keysym) for down, keysym in typed if down])
ok = result.returncode == 0
if len(sys.argv) == 4:
    wanted = {0xdf: "ß", 0x40: "@", 0xffe3: "Ctrl", 0xff09: "Tab"}
    missing = [name for keysym, name in wanted.items() if (1, keysym) not in typed]
    sized = [p for p in node.preambles if p["width"] and p["layout"]]
    print("missing keys:", missing, "preambles with size and layout:", len(sized), "of", len(node.preambles))
    ok = ok and not missing and len(sized) == len(node.preambles) - 1  # one shows the desktop in its own size
print("screens ended:", node.ends)
code, log = node.stop()
print(log[-2000:])
sys.exit(0 if ok and code == 0 else 1)
