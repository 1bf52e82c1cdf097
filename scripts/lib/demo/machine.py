"""What a demo needs of the machine and shares with other demos: accounts, user numbers, libvirt.

Shared state stands in /run/fernwerk-demo, under one lock: who uses libvirt, which pids we started for it, and which
range of user numbers belongs to which demo.
"""

import contextlib
import fcntl
import grp
import json
import os
import pwd
import signal
import subprocess
import time

from progress import DemoError, Step, say

SHARED = "/run/fernwerk-demo"
URI = "qemu:///system"
USERS = {"fernwerk": "the broker", "fernwerk-gate": "the gate", "fernwerk-web": "the web server"}
UID_FIRST, UID_COUNT, SLOTS = 1880000000, 4096, 512
# Started in this order where no service manager does it; polkitd must answer before libvirtd asks it.
DAEMONS = [
    ("dbus-daemon", ["dbus-daemon", "--system", "--fork"], "/run/dbus/system_bus_socket"),
    ("polkitd", ["/usr/lib/polkit-1/polkitd", "--no-debug"], None),
    ("virtlogd", ["virtlogd", "-d"], "/run/libvirt/virtlogd-sock"),
    ("libvirtd", ["libvirtd", "-d"], "/run/libvirt/libvirt-sock"),
]


@contextlib.contextmanager
def shared_state():
    """The shared state as a dict, locked; changes are written at the end of the block."""
    os.makedirs(SHARED, mode=0o755, exist_ok=True)
    with open(f"{SHARED}/lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        path = f"{SHARED}/state.json"
        try:
            with open(path) as file:
                state = json.load(file)
        except (OSError, ValueError):
            state = {}
        for key, empty in (("users", []), ("daemons", {}), ("services", []), ("slots", {})):
            state.setdefault(key, empty)
        yield state
        with open(path + ".new", "w") as file:
            json.dump(state, file)
        os.replace(path + ".new", path)


def process_name(pid):
    try:
        with open(f"/proc/{pid}/comm") as file:
            return file.read().strip()
    except OSError:
        return None


def is_held(path):
    """Whether a process holds that lock file (flock): the kernel frees it with its holder, whatever ended it."""
    try:
        with open(path) as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        pass
    return False


def pids_of(name):
    """Processes of that name; the kernel keeps 15 characters of it."""
    return [int(pid) for pid in os.listdir("/proc") if pid.isdigit() and process_name(pid) == name[:15]]


def make_users():
    for name, what in USERS.items():
        try:
            pwd.getpwnam(name)
        except KeyError:
            say(f"making the system user {name} for {what}")
            command = ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
            subprocess.run([*command, "--shell", "/usr/sbin/nologin", name], check=True)


def let_broker_reach_libvirt():
    """polkit asks the account's groups, not the process's, so the broker's user has to be a member of libvirt."""
    if "fernwerk" not in grp.getgrnam("libvirt").gr_mem:
        subprocess.run(["usermod", "--append", "--groups", "libvirt", "fernwerk"], check=True)


def claim_uids(directory, is_alive):
    """A range of user numbers for this demo, the one it had if it had one; others' are freed when they are gone."""
    with shared_state() as state:
        slots = {slot: owner for slot, owner in state["slots"].items() if owner == directory or is_alive(owner)}
        mine = [slot for slot, owner in slots.items() if owner == directory]
        free = mine or [str(slot) for slot in range(SLOTS) if str(slot) not in slots]
        if not free:
            raise DemoError(f"{SLOTS} demos run on this machine already")
        slots[free[0]] = directory
        state["slots"] = slots
        first = UID_FIRST + int(free[0]) * UID_COUNT
        return first, first + UID_COUNT - 1


def release_uids(directory):
    with shared_state() as state:
        state["slots"] = {slot: owner for slot, owner in state["slots"].items() if owner != directory}


def virsh(*arguments, timeout=20):
    """virsh's output; a DemoError with its complaint when it fails."""
    command = ["virsh", "-q", "-c", URI, *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        raise DemoError(f"libvirt does not answer: {' '.join(command)}") from None
    if done.returncode:
        raise DemoError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def libvirt_answers(user=None):
    command = ["virsh", "-q", "-c", URI, "uri"]
    if user:
        account = pwd.getpwnam(user)
        command = ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}",
                   "--groups", str(grp.getgrnam("libvirt").gr_gid), *command]
    try:
        return subprocess.run(command, capture_output=True, timeout=15, stdin=subprocess.DEVNULL).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def has_systemd():
    return os.path.isdir("/run/systemd/system")


def start_daemon(name, command, socket, state):
    if name == "dbus-daemon":
        os.makedirs("/run/dbus", exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            os.unlink("/run/dbus/pid")
        subprocess.run(["dbus-uuidgen", "--ensure"], check=True)
    before = set(pids_of(name))
    subprocess.Popen(command, start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                     stderr=subprocess.DEVNULL).poll()
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        started = set(pids_of(name)) - before
        if started and (not socket or os.path.exists(socket)):
            # A daemon's first process ends once the one that stays has its socket.
            time.sleep(0.2)
            state["daemons"][name] = max(set(pids_of(name)) - before, default=max(started))
            return
        time.sleep(0.05)
    raise DemoError(f"{' '.join(command)} does not start; try it by hand")


def start_without_systemd(state):
    asked = [daemon for daemon in DAEMONS[:2] if not pids_of(daemon[0])]
    for name, command, socket in asked:
        start_daemon(name, command, socket, state)
    if asked and libvirt_answers() and not libvirt_answers("fernwerk"):
        # It was started before the bus or polkit and refuses ordinary users; its VMs do not notice a restart.
        for pid in pids_of("libvirtd"):
            os.kill(pid, signal.SIGTERM)
            wait_gone(pid, 20)
    for name, command, socket in DAEMONS[2:]:
        if not pids_of(name):
            start_daemon(name, command, socket, state)


def acquire_libvirt(directory, is_alive):
    """Makes libvirt answer the broker's user; remembers what was started and that this demo uses it."""
    with shared_state() as state:
        state["users"] = [user for user in state["users"] if user != directory and is_alive(user)] + [directory]
        let_broker_reach_libvirt()
        if libvirt_answers("fernwerk"):
            return
        with Step("starting libvirt") as step:
            if has_systemd():
                for unit in ("virtlogd.socket", "libvirtd.service"):
                    if subprocess.run(["systemctl", "is-active", "-q", unit]).returncode:
                        subprocess.run(["systemctl", "start", unit], check=True)
                        state["services"].append(unit)
            else:
                start_without_systemd(state)
            deadline = time.monotonic() + 30
            while not libvirt_answers("fernwerk"):
                if time.monotonic() > deadline:
                    raise DemoError(f"libvirt ({URI}) does not answer the user fernwerk; its log tells more")
                step.tick()
                time.sleep(0.2)


def release_libvirt(directory, is_alive):
    """The last demo ends the libvirt that demos started, unless a VM of someone else runs in it by now. A demo that
    was killed counts no longer; its VMs do, until they are ended."""
    with shared_state() as state:
        state["users"] = [user for user in state["users"] if user != directory and is_alive(user)]
        if state["users"] or not (state["daemons"] or state["services"]):
            return
        with contextlib.suppress(DemoError):
            if virsh("list", "--name").strip():
                say("libvirt stays: a virtual machine that is not ours runs in it")
                return
        for unit in reversed(state["services"]):
            subprocess.run(["systemctl", "stop", unit])
        for name, _, _ in reversed(DAEMONS):
            pid = state["daemons"].get(name)
            if pid and process_name(pid) == name[:15]:
                os.kill(pid, signal.SIGTERM)
                wait_gone(pid, 10)
        state["daemons"], state["services"] = {}, []


def wait_gone(pid, seconds):
    """Waits for a process's end; a zombie counts as ended. Returns whether it did."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with open(f"/proc/{pid}/stat") as file:
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    return True
        except OSError:
            return True
        time.sleep(0.05)
    return False


def domains_of(uuid, prefix):
    """Names of the running domains that carry this instance's UUID."""
    mine = []
    for name in virsh("list", "--name").split():
        if name.startswith(prefix):
            with contextlib.suppress(DemoError):
                if uuid in virsh("dumpxml", name):
                    mine.append(name)
    return mine


def end_domains(uuid, prefix):
    """Shuts this instance's VMs down, by force when they take over ten seconds."""
    try:
        names = domains_of(uuid, prefix)
    except DemoError:
        return
    if not names:
        return
    with Step(f"stopping {len(names)} virtual machine{'s' if len(names) > 1 else ''}") as step:
        for name in names:
            with contextlib.suppress(DemoError):
                virsh("shutdown", name)
        deadline = time.monotonic() + 10
        while names and time.monotonic() < deadline:
            time.sleep(0.2)
            step.tick()
            running = virsh("list", "--name").split()
            names = [name for name in names if name in running]
        for name in names:
            with contextlib.suppress(DemoError):
                virsh("destroy", name)
