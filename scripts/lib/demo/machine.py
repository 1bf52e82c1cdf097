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
import subprocess
import time

import daemons
from progress import DemoError, Step, say

SHARED = "/run/fernwerk-demo"
URI = "qemu:///system"
USERS = {"fernwerk": "the broker", "fernwerk-gate": "the gate", "fernwerk-web": "the web server"}
UID_FIRST, UID_COUNT, SLOTS = 1880000000, 4096, 512
ANSWER_TIMEOUT = 60   # seconds until libvirt must answer
ANSWER_PATIENCE = 10  # seconds after which a libvirtd that answers root alone is started anew


@contextlib.contextmanager
def shared_state():
    """The shared state as a dict, locked; changes are written at the end of the block, however it ends."""
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
        try:
            yield state
        finally:
            with open(path + ".new", "w") as file:
                json.dump(state, file)
            os.replace(path + ".new", path)


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


def make_users():
    """Under the shared lock: of two first starts on a machine, one makes them and the other finds them."""
    with shared_state():
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


def complaint_of(user):
    """Why libvirt does not answer that user; None when it does."""
    account = pwd.getpwnam(user)
    command = ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--init-groups",
               "virsh", "-q", "-c", URI, "uri"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=15, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return "no answer in 15 s"
    return None if done.returncode == 0 else done.stderr.strip() or f"virsh ended with status {done.returncode}"


def start_services(state):
    for unit in ("virtlogd.socket", "libvirtd.service"):
        if subprocess.run(["systemctl", "is-active", "-q", unit]).returncode:
            subprocess.run(["systemctl", "start", unit], check=True)
            state["services"].append(unit)


def start_libvirt(state, step):
    """Until it answers the broker's user. Asked anew each time: what runs now may be ending."""
    systemd = os.path.isdir("/run/systemd/system")
    deadline = time.monotonic() + ANSWER_TIMEOUT
    suspect = None  # when a libvirtd that answers root alone is to be started anew
    while complaint := complaint_of("fernwerk"):
        now = time.monotonic()
        if now > deadline:
            raise DemoError(f"libvirt ({URI}) does not answer the user fernwerk: {complaint}")
        if systemd:
            start_services(state)
        elif daemons.start_missing(state["daemons"]) or suspect is None:
            suspect = now + ANSWER_PATIENCE
        elif now > suspect and not complaint_of("root"):
            # Started before the bus or polkit, it refuses ordinary users for as long as it runs.
            daemons.restart_libvirtd(state["daemons"])
            suspect = deadline
        step.tick()
        time.sleep(0.2)


def acquire_libvirt(directory, is_alive):
    """Makes libvirt answer the broker's user; remembers what was started and that this demo uses it."""
    with shared_state() as state:
        state["users"] = [user for user in state["users"] if user != directory and is_alive(user)] + [directory]
        let_broker_reach_libvirt()
        if complaint_of("fernwerk"):
            with Step("starting libvirt") as step:
                start_libvirt(state, step)


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
        daemons.end_all(state["daemons"])
        state["daemons"], state["services"] = {}, []


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
