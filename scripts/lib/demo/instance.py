"""One Fernwerk below one folder: its configuration, its fernwerkd, its command line, its end."""

import contextlib
import json
import os
import secrets
import signal
import subprocess
import time
import uuid

import daemons
import machine
import options as command_line
from progress import DemoError, Step, say, tail


class Instance:
    """Paths of a demo's folder; `base` is the name under which other users reach it (see reach.py)."""

    def __init__(self, directory, base):
        self.directory = directory
        self.base = base
        self.config = f"{base}/fernwerk.conf"
        self.run_dir = f"{base}/run"
        self.state_dir = f"{base}/state"
        self.socket = f"{base}/run/control.sock"
        self.log = f"{directory}/log/fernwerkd.log"
        self.accounts = f"{directory}/accounts.json"
        self.summary = f"{directory}/demo.json"
        self.memory = self._load()

    def _load(self):
        """What survives a stop: UUID and passwords, readable for root alone."""
        with contextlib.suppress(OSError, ValueError), open(self.accounts) as file:
            return json.load(file)
        return {"uuid": str(uuid.uuid4()), "passwords": {}, "programs": None}

    def save(self):
        write_private(self.accounts, self.memory)

    @property
    def uuid(self):
        return self.memory["uuid"]

    @property
    def prefix(self):
        return f"fwdemo-{self.uuid[:8]}-"

    def password(self, user):
        """The user's generated password, the same one for the folder's life."""
        return self.memory["passwords"].setdefault(user, secrets.token_urlsafe(12))

    def pid(self):
        """fernwerkd's pid while it runs, else None. It holds its lock file as long as it lives, so that a pid which
        by now is somebody else's is never taken for it."""
        path = f"{self.directory}/run/lock"
        if not machine.is_held(path):
            return None
        with contextlib.suppress(OSError, ValueError), open(path) as file:
            return int(file.read())
        return None

    def write_config(self, programs, pages, options, uids, virtual):
        def endpoint(port):
            return f"{command_line.bracketed(options.listen)}:{port}"

        lines = ["# Written by scripts/demo, anew at each start.", "[fernwerk]", f"instance_uuid = {self.uuid}",
                 f"state_dir = {self.state_dir}", f"run_dir = {self.run_dir}", f"admin_socket = {self.socket}",
                 "admin_group =", f"libexec_dir = {programs}", f"uid_range = {uids[0]}-{uids[1]}",
                 f"name_prefix = {self.prefix}"]
        lines += ["[listen]", f"rdp = {endpoint(options.rdp)}", f"vnc = {endpoint(options.vnc)}",
                  f"https = {endpoint(options.https)}"]
        lines += ["[tls]", f"names = localhost {options.shown_host}"]
        if virtual:
            lines += ["[libvirt]", f"uri = {machine.URI}"]
        lines += ["[web]", f"pages_dir = {pages}"]
        # Tests and people at one keyboard come from one address.
        lines += ["[limits]", "rate_per_source = 100000"]
        with open(f"{self.directory}/fernwerk.conf.new", "w") as file:
            file.write("\n".join(lines) + "\n")
        os.chmod(f"{self.directory}/fernwerk.conf.new", 0o644)
        os.replace(f"{self.directory}/fernwerk.conf.new", f"{self.directory}/fernwerk.conf")

    def start(self, programs):
        """Starts fernwerkd in a session of its own and returns its ports once it is ready."""
        os.makedirs(os.path.dirname(self.log), exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{self.directory}/run/ready")
        command = [f"{programs}/fernwerkd", "--config", self.config]
        check = subprocess.run([*command, "--check-config"], capture_output=True, text=True)
        if check.returncode:
            raise DemoError(check.stderr.strip() or f"{command[0]} --check-config failed")
        with open(self.log, "ab") as log, Step("starting Fernwerk") as step:
            began = log.tell()
            process = subprocess.Popen(command, start_new_session=True, stdin=subprocess.DEVNULL, stdout=log,
                                       stderr=log)
            deadline = time.monotonic() + 60
            while not (ports := self._ports(process.pid)):
                if process.poll() is not None:
                    raise DemoError("fernwerkd ended:\n" + self._log_since(began))
                if time.monotonic() > deadline:
                    raise DemoError(f"fernwerkd was not ready in 60 s; the end of {self.log}:\n{tail(self.log)}")
                step.tick()
                time.sleep(0.05)
        return process, ports

    def _log_since(self, offset):
        with open(self.log, errors="replace") as log:
            log.seek(offset)
            return "".join(log.readlines()[-20:]).rstrip()

    def _ports(self, pid):
        ports = {}
        with contextlib.suppress(OSError, ValueError), open(f"{self.directory}/run/ready") as file:
            for line in file:
                key, _, value = line.strip().partition("=")
                ports[key] = value if key == "pid" else int(value.rpartition(":")[2])
        return ports if ports.get("pid") == str(pid) else None

    def cli(self, programs):
        return [f"{programs}/fernwerk", "--socket", self.socket]

    def call(self, programs, *arguments, secret=None, missing_ok=False, timeout=150):
        """Runs `fernwerk --json ...`; returns the document, or None for exit code 3 with missing_ok."""
        command = [*self.cli(programs), "--json", *arguments]
        try:
            done = subprocess.run(command, input=secret, capture_output=True, text=True, timeout=timeout)
        except subprocess.TimeoutExpired:
            raise DemoError(f"no answer to: fernwerk {' '.join(arguments)}") from None
        if done.returncode == 3 and missing_ok:
            return None
        if done.returncode:
            message = done.stderr.strip() or done.stdout.strip()
            with contextlib.suppress(ValueError, KeyError, TypeError):
                error = json.loads(message)["error"]
                message = " ".join(filter(None, [error["message"], error.get("hint")]))
            raise DemoError(f"fernwerk {' '.join(arguments)}: {message}")
        return json.loads(done.stdout) if done.stdout.strip() else {}

    def processes(self):
        """{program: [pids]} of fernwerkd and everything below it."""
        pid = self.pid()
        found = {"fernwerkd": [pid]} if pid else {}
        if not pid:
            return found
        children = {}
        for entry in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                with open(f"/proc/{entry}/stat") as file:
                    children.setdefault(int(file.read().rpartition(")")[2].split()[1]), []).append(int(entry))
        pending = list(children.get(pid, []))
        while pending:
            child = pending.pop()
            pending += children.get(child, [])
            with contextlib.suppress(OSError):
                name = os.path.basename(os.readlink(f"/proc/{child}/exe")).removesuffix(" (deleted)")
                found.setdefault(name, []).append(child)
        return {name: sorted(pids) for name, pids in found.items()}

    def stop(self):
        """Ends fernwerkd, then this instance's VMs. What does not run any more is no error."""
        pid = self.pid()
        if pid:
            everything = [child for pids in self.processes().values() for child in pids]
            with Step("stopping Fernwerk"):
                os.kill(pid, signal.SIGTERM)
                if not daemons.wait_gone(pid, 15):
                    say("fernwerkd does not end by itself and is killed")
                for child in everything:
                    # Those who outlive fernwerkd would notice their closed lifeline; give them that moment.
                    if not daemons.wait_gone(child, 1):
                        with contextlib.suppress(ProcessLookupError):
                            os.kill(child, signal.SIGKILL)
                        daemons.wait_gone(child, 5)
        if self.memory.get("virtual"):
            machine.end_domains(self.uuid, self.prefix)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.summary)
        machine.release_uids(self.directory)
        machine.release_libvirt(self.directory, is_alive)


def is_alive(directory):
    """Whether a demo runs in that folder, or is being started or stopped there at this moment."""
    return machine.is_held(f"{directory}/.lock") or machine.is_held(f"{directory}/run/lock")


def write_private(path, document):
    """Writes JSON atomically, readable for its owner alone."""
    descriptor = os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(document, file, indent=2)
        file.write("\n")
    os.replace(path + ".new", path)
