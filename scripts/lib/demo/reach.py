"""Makes a folder reachable for Fernwerk's users and QEMU's, even below folders that only root can pass.

Below /root, or in a folder that mktemp made, others are stopped. The demo's own folder is opened for passing; for its
parents, which are not ours to change, the folder is mounted a second time under /run/fernwerk-demo. The same serves
folders whose path is too long for a socket's address.
"""

import hashlib
import os
import subprocess

from machine import SHARED
from progress import DemoError

PATH_MAX = 60  # leaves room for the sockets' names in the 107 bytes of an address


def passable(path):
    """Whether everybody can pass all folders above `path`."""
    while path != "/":
        path = os.path.dirname(path)
        if not os.stat(path).st_mode & 0o001:
            return False
    return True


def mount_point(directory):
    return f"{SHARED}/{hashlib.sha256(directory.encode()).hexdigest()[:12]}"


def is_mounted(point):
    with open("/proc/self/mounts") as mounts:
        return any(line.split()[1] == point for line in mounts)


def name_of(directory):
    """The name under which the folder is reachable, without making it so."""
    if passable(directory) and len(directory) <= PATH_MAX:
        return directory
    return mount_point(directory)


def reach(directory):
    """Makes the folder reachable; returns its name for everybody."""
    name = name_of(directory)
    if name != directory and not is_mounted(name):
        os.makedirs(name, mode=0o755, exist_ok=True)
        done = subprocess.run(["mount", "--bind", directory, name], capture_output=True, text=True)
        if done.returncode:
            raise DemoError(f"Fernwerk's users cannot reach {directory}, and mounting it at {name} failed "
                            f"({done.stderr.strip()}): choose a --dir of at most {PATH_MAX} characters whose parent "
                            "folders everybody may pass")
    return name


def leave(directory):
    """Takes the second mount away again."""
    name = mount_point(directory)
    if os.path.isdir(name):
        if is_mounted(name):
            subprocess.run(["umount", "--lazy", name], capture_output=True)
        try:
            os.rmdir(name)
        except OSError:
            pass
