"""A libvirtd of the test's own, beside the machine's."""

import glob
import os
import shutil
import subprocess
import tempfile

from lib.wait import until

CONFIG = """
unix_sock_dir = "{folder}"
unix_sock_rw_perms = "0777"
auth_unix_rw = "none"
auth_unix_ro = "none"
"""
# What libvirt keeps or finds is hidden from it, and every emulator is no program for it any more.
HIDE = """
for folder in /run /etc/libvirt /var/lib/libvirt /var/cache/libvirt; do mount -t tmpfs none "$folder"; done
for emulator in $EMULATORS; do mount --bind /dev/null "$emulator"; done
exec libvirtd --config "$0/libvirtd.conf" --pid-file "$0/pid"
"""


class LibvirtWithoutQemu:
    """As on a server where QEMU was forgotten; `uri` leads to it."""

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="fernwerk-e2e-libvirt-", dir="/var/tmp")
        os.chmod(self.folder, 0o755)
        self.uri = f"qemu+unix:///system?socket={self.folder}/libvirt-sock"
        with open(f"{self.folder}/libvirtd.conf", "w") as file:
            file.write(CONFIG.format(folder=self.folder))
        emulators = sorted({os.path.realpath(path) for path in glob.glob("/usr/bin/qemu-system-*") + ["/usr/bin/kvm"]
                            if os.path.exists(path)})
        with open(f"{self.folder}/log", "w") as log:
            self.process = subprocess.Popen(["unshare", "--mount", "sh", "-ec", HIDE, self.folder], stdout=log,
                                            stderr=log, env={**os.environ, "EMULATORS": " ".join(emulators)})
        try:
            until(self.answers, 30, self.log)
        except BaseException:
            self.__exit__()
            raise
        return self

    def answers(self):
        assert self.process.poll() is None, self.log()
        return subprocess.run(["virsh", "-q", "-c", self.uri, "uri"], capture_output=True).returncode == 0

    def log(self):
        with open(f"{self.folder}/log") as file:
            return file.read()

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(30)
        finally:
            self.process.kill()
            shutil.rmtree(self.folder)
