"""A demo of one's own: scripts/demo --detach, what it wrote, its command line."""

import json
import os
import shutil
import subprocess
import tempfile

from lib.vm import Vm

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "../../.."))
# Set by ctest: the build tree whose programs are tested. Without it scripts/demo builds its own.
BUILD = os.environ.get("FERNWERK_BUILD")


class Demo:
    """`with Demo(users=2) as demo:`; options become scripts/demo's, e.g. guest, users, size, start, keymap."""

    def __init__(self, **options):
        self.options = {"guest": "tiny", **options}

    def __enter__(self):
        # Below /var/tmp: it outlives a reboot and is open for QEMU's user, unlike pytest's own folders.
        self.directory = tempfile.mkdtemp(prefix="fernwerk-e2e-", dir="/var/tmp")
        command = [f"{ROOT}/scripts/demo", "--detach", "--dir", self.directory]
        for key, value in self.options.items():
            command += [f"--{key}", str(value)]
        if BUILD:
            command += ["--build", BUILD]
        # Leaks are looked for by the unit tests; in a sandbox the leak sanitizer may not stop its own threads.
        env = {**os.environ, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "abort_on_error=1") + ":detect_leaks=0"}
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=1800)
        if done.returncode:
            self.remove()
            raise AssertionError(f"scripts/demo failed:\n{done.stdout}\n{done.stderr}")
        self.reload()
        return self

    def reload(self):
        with open(f"{self.directory}/demo.json") as file:
            self.json = json.load(file)

    def __exit__(self, kind, *_):
        if kind:
            print(self.log_tail())
        self.stop()
        self.remove()

    def stop(self):
        subprocess.run([f"{ROOT}/scripts/demo", "--stop", "--dir", self.directory], check=True, capture_output=True,
                       timeout=180)

    def remove(self):
        shutil.rmtree(self.directory, ignore_errors=True)

    def log_text(self):
        try:
            with open(f"{self.directory}/log/fernwerkd.log", errors="replace") as file:
                return file.read()
        except OSError:
            return ""

    def log_tail(self, lines=60):
        return "\n".join(self.log_text().splitlines()[-lines:])

    def run_cli(self, *arguments, secret=None):
        """The finished `fernwerk --json ...`, whatever its status."""
        return subprocess.run([*self.json["cli"], "--json", *map(str, arguments)], input=secret, capture_output=True,
                              text=True, timeout=180)

    def cli(self, *arguments, secret=None):
        """The document that `fernwerk --json ...` prints."""
        done = self.run_cli(*arguments, secret=secret)
        assert done.returncode == 0, f"fernwerk {arguments}: {done.returncode} {done.stdout} {done.stderr}"
        return json.loads(done.stdout) if done.stdout.strip() else None

    @property
    def host(self):
        return self.json["listen"]

    def user(self, index=0):
        return self.json["users"][index]

    def vm(self, index=0):
        desktop = self.json["desktops"][index]
        return Vm(self.json["libvirt_uri"], desktop["domain"], desktop["serial_log"])

    def pids(self, program):
        """Pids of a program of this demo now; it is a child of this demo's fernwerkd."""
        master = self.json["pids"]["fernwerkd"][0]
        if program == "fernwerkd":
            return [master]
        done = subprocess.run(["ps", "-o", "pid=,exe=", "--ppid", str(master)], capture_output=True, text=True)
        return [int(line.split()[0]) for line in done.stdout.splitlines()
                if os.path.basename(line.split()[1].removesuffix(" (deleted)")) == program]
