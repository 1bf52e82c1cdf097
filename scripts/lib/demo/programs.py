"""Fernwerk's programs: built from this tree, and put where its users may run them."""

import fcntl
import os
import shutil

import reach
from progress import run_logged


def build(root, log):
    """Builds the release into build/demo; returns that folder. One build at a time."""
    folder = f"{root}/build/demo"
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Not at every warning of a compiler newer than ours does a visitor's build have to fail.
        run_logged("configuring", ["cmake", "-S", root, "-B", folder, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=RelWithDebInfo",
                                   "-DBUILD_TESTING=OFF", "-DFERNWERK_WERROR=OFF"], log)
        run_logged("building", ["cmake", "--build", folder], log)
    return folder


def provide(root, instance, built, log):
    """Folders of programs and of web pages that everybody can reach, building first unless `built` is given."""
    built = os.path.abspath(built) if built else build(root, log)
    programs, pages = f"{built}/bin", f"{built}/web/ui/dist"
    if reach.passable(f"{programs}/fernwerkd"):
        return programs, pages
    # The clone lies where only root can go, below /root for example.
    copies = []
    for name, source in (("programs", programs), ("pages", pages)):
        target = f"{instance.directory}/{name}"
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target, symlinks=True)
        copies.append(f"{instance.base}/{name}")
    return copies[0], copies[1]
