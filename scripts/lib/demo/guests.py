"""Guest images: built once into the repository's build folder, then linked into the demo's own folder.

A demo keeps the image it was made with, since its desktops' disks are overlays on it; a later build makes new files.
"""

import fcntl
import os
import shutil

from progress import run_logged

# Files of each guest, and what its template says about them.
FILES = {"tiny": ["kernel", "initrd", "tiny.qcow2"], "debian": ["debian.qcow2"]}
TEMPLATES = {
    "tiny": {"kind": "vm", "image": "tiny.qcow2", "kernel": "kernel", "initrd": "initrd", "cmdline": "console=tty0 quiet",
             "memory_mib": 256, "vcpus": 1},
    "debian": {"kind": "vm", "image": "debian.qcow2", "memory_mib": 1024, "vcpus": 2},
    "pattern": {"kind": "pattern"},
}


def build(root, guest, log):
    """Builds a guest unless this recipe's result is there; returns its folder. One build at a time on a machine."""
    folder = f"{root}/build/guests/{guest}"
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run_logged(f"guest {guest}: building unless it is there", [f"{root}/guest/{guest}/build", folder], log)
    return folder


def image_name(guest, keymap):
    """The image whose desktop has this keyboard layout: debian keeps it in a file, tiny's keys have no letters."""
    image = TEMPLATES[guest].get("image")
    return f"debian-{keymap}.qcow2" if guest == "debian" and keymap != "us" else image


def take(root, guest, directory, keymap, log):
    """Makes sure that `directory`/guests/<guest> holds the guest's files."""
    own = f"{directory}/guests/{guest}"
    take_built(root, guest, own, log)
    image = image_name(guest, keymap)
    if not os.path.exists(f"{own}/{image}"):
        run_logged(f"guest {guest}: keyboard layout {keymap}", [f"{root}/guest/{guest}/set-keymap",
                                                              f"{own}/{FILES[guest][0]}", f"{own}/{image}", keymap], log)


def take_built(root, guest, own, log):
    if all(os.path.exists(f"{own}/{name}") for name in FILES[guest]):
        return
    built = build(root, guest, log)
    os.makedirs(own, exist_ok=True)
    for name in FILES[guest]:
        try:
            os.link(f"{built}/{name}", f"{own}/{name}.new")
        except OSError:  # another file system
            shutil.copyfile(f"{built}/{name}", f"{own}/{name}.new")
        os.chmod(f"{own}/{name}.new", 0o644)
        os.replace(f"{own}/{name}.new", f"{own}/{name}")


def template_arguments(guest, base, size, keymap):
    """Arguments of `fernwerk template add NAME` for this guest below `base`."""
    values = dict(TEMPLATES[guest], width=size[0], height=size[1], xkb_layout=keymap)
    if "image" in values:
        values["image"] = image_name(guest, keymap)
    arguments = []
    for key, value in values.items():
        if key in ("image", "kernel", "initrd"):
            value = f"{base}/guests/{guest}/{value}"
        arguments += [f"--{key.replace('_', '-')}", str(value)]
    return arguments
