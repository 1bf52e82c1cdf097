"""A demo of one's own: scripts/demo --detach, what it wrote, its command line."""

import concurrent.futures
import contextlib
import json
import os
import secrets
import shutil
import subprocess
import tempfile

from lib.vm import Vm

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "../../.."))
# Set by ctest: the build tree whose programs are tested. Without it scripts/demo builds its own.
BUILD = os.environ.get("FERNWERK_BUILD")


# Leaks are looked for by the unit tests; in a sandbox the leak sanitizer may not stop its own threads.
ENVIRONMENT = {**os.environ, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "abort_on_error=1") + ":detect_leaks=0"}
SANITIZED = bool(BUILD) and "FERNWERK_SANITIZE:STRING=address" in open(f"{BUILD}/CMakeCache.txt").read()


class Demo:
    """`with Demo(users=2) as demo:`; options become scripts/demo's, e.g. guest, users, size, start, keymap. `config` is
    put beside the configuration that scripts/demo writes, and wins."""

    def __init__(self, config=None, **options):
        self.options = {"guest": "tiny", **options}
        self.config = config

    def __enter__(self):
        # Below /var/tmp: it outlives a reboot and is open for QEMU's user, unlike pytest's own folders.
        self.directory = tempfile.mkdtemp(prefix="fernwerk-e2e-", dir="/var/tmp")
        if self.config:
            os.makedirs(f"{self.directory}/conf.d")
            with open(f"{self.directory}/conf.d/test.conf", "w") as file:
                file.write(self.config)
        try:
            self.start()
        except BaseException:
            self.remove()
            raise
        return self

    def command(self):
        command = [f"{ROOT}/scripts/demo", "--dir", self.directory]
        for key, value in self.options.items():
            command += [f"--{key}", str(value)]
        return command + (["--build", BUILD] if BUILD else [])

    def start(self):
        """Also again, in the same folder, after Fernwerk has ended."""
        done = subprocess.run([*self.command(), "--detach"], env=ENVIRONMENT, capture_output=True, text=True,
                              timeout=1800)
        if done.returncode:
            raise AssertionError(f"scripts/demo failed:\n{done.stdout}\n{done.stderr}")
        self.reload()

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

    def add_pattern_user(self, name, desktop, template="card", **options):
        """Another user with a desktop that needs no VM, whatever the demo's guest is; returns him as in `users`.
        options: of a template that is not there yet, e.g. image: a recording."""
        if self.run_cli("template", "show", template).returncode:
            options = {"width": 1024, "height": 768, **options}
            self.cli("template", "add", template, "--kind", "pattern",
                     *(word for key, value in options.items() for word in (f"--{key}", value)))
        user = {"name": name, "password": secrets.token_urlsafe(12), "desktop": desktop}
        self.cli("user", "add", name, "--password-stdin", secret=user["password"] + "\n")
        self.cli("desktop", "create", desktop, template)
        self.cli("assign", desktop, name)
        return user

    def user(self, index=0):
        return self.json["users"][index]

    def vm(self, index=0):
        desktop = self.json["desktops"][index]
        return Vm(self.json["libvirt_uri"], desktop["domain"], desktop["serial_log"])

    def process(self, program, title=""):
        """The pid of one process, chosen by what its title contains ("user1 on d1"); None when there is none."""
        for pid in self.pids(program):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    if title in file.read().decode(errors="replace"):
                        return pid
            except OSError:
                continue
        return None

    def pss_kib(self, pid):
        with open(f"/proc/{pid}/smaps_rollup") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("Pss:"))

    def pids(self, program):
        """Pids of a program of this demo now; it is a child of this demo's fernwerkd."""
        master = self.json["pids"]["fernwerkd"][0]
        if program == "fernwerkd":
            return [master]
        done = subprocess.run(["ps", "-o", "pid=,exe=", "--ppid", str(master)], capture_output=True, text=True)
        return [int(line.split()[0]) for line in done.stdout.splitlines()
                if os.path.basename(line.split()[1].removesuffix(" (deleted)")) == program]


def is_running(pid):
    """A zombie does not run: whether init reaps it is not ours to say."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@contextlib.contextmanager
def together(*demos):
    """Starts these demos at the same time; ends them all."""
    with contextlib.ExitStack() as stack, concurrent.futures.ThreadPoolExecutor(len(demos)) as pool:
        started = [pool.submit(demo.__enter__) for demo in demos]
        concurrent.futures.wait(started)
        for demo, future in zip(demos, started):
            if not future.exception():
                stack.push(demo)
        yield [future.result() for future in started]
