"""The daemons that libvirt needs, started and ended by hand where no service manager does it."""

import contextlib
import os
import signal
import socket
import struct
import subprocess
import time

from progress import DemoError


LIBVIRT_SOCKET = "/run/libvirt/libvirt-sock"


def accepts(socket_path):
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(socket_path)
        except OSError:
            return False
    return True


def polkit_is_on_the_bus():
    ask = ["dbus-send", "--system", "--print-reply=literal", "--dest=org.freedesktop.DBus", "/org/freedesktop/DBus",
           "org.freedesktop.DBus.NameHasOwner", "string:org.freedesktop.PolicyKit1"]
    return subprocess.run(ask, capture_output=True, text=True).stdout.split() == ["boolean", "true"]


# In the order of their start: polkitd must answer before libvirtd asks it. A process of that name proves nothing
# (each session has a dbus-daemon of its own), so each is asked whether it answers.
DAEMONS = {
    "dbus-daemon": (["dbus-daemon", "--system", "--fork"], lambda: accepts("/run/dbus/system_bus_socket")),
    "polkitd": (["/usr/lib/polkit-1/polkitd", "--no-debug"], polkit_is_on_the_bus),
    "virtlogd": (["virtlogd", "-d"], lambda: accepts("/run/libvirt/virtlogd-sock")),
    "libvirtd": (["libvirtd", "-d"], lambda: accepts(LIBVIRT_SOCKET)),
}
START_TIMEOUT, END_TIMEOUT = 30, 30  # seconds for one daemon


def is_alive(pid, name=None):
    """Whether that process runs and, if given, bears that name, of which the kernel keeps 15 characters. A zombie
    does not: in a container its end may be noticed late or never."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            called, _, rest = file.read().partition("(")[2].rpartition(")")
    except OSError:
        return False
    return rest.split()[0] != "Z" and (name is None or called == name[:15])


def pids_of(name):
    return {int(pid) for pid in os.listdir("/proc") if pid.isdigit() and is_alive(pid, name)}


def wait_gone(pid, seconds):
    """Waits for a process's end; returns whether it did."""
    deadline = time.monotonic() + seconds
    while is_alive(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def end(pid):
    """Until it has ended: who starts daemons next must not take a dying one for a living."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        if wait_gone(pid, END_TIMEOUT):
            return


def prepare_system_bus():
    os.makedirs("/run/dbus", exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        os.unlink("/run/dbus/pid")  # of one that was killed; it does not answer
    subprocess.run(["dbus-uuidgen", "--ensure"], check=True)


def start(name, command, answers):
    """Starts a daemon; returns the pids that came with it, none if it would not start beside one that is ending."""
    if name == "dbus-daemon":
        prepare_system_bus()
    before = pids_of(name)
    process = subprocess.Popen(command, start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + START_TIMEOUT
    while not answers():
        if process.poll():
            return set()
        if time.monotonic() > deadline:
            raise DemoError(f"{' '.join(command)} does not start; try it by hand")
        time.sleep(0.05)
    return pids_of(name) - before


def start_missing(started):
    """Starts those that do not answer, in their order, and notes their pids; returns whether there were any. Somebody
    may just be ending one that answers still: call this until libvirt itself answers."""
    missing = [name for name, (_, answers) in DAEMONS.items() if not answers()]
    for name in missing:
        started[name] = list(start(name, *DAEMONS[name]))
    return bool(missing)


def end_all(started):
    """Ends those daemons that still are what they were, the last started first."""
    for name in reversed(DAEMONS):
        for pid in started.get(name, []):
            if is_alive(pid, name):
                end(pid)


def restart_libvirtd(started):
    """The one behind the machine's socket, whoever started it; its virtual machines do not notice."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(LIBVIRT_SOCKET)
        pid, _, _ = struct.unpack("3i", client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    if is_alive(pid, "libvirtd"):
        end(pid)
    start_missing(started)
