"""What /proc tells about a demo's processes: memory, descriptors, processor time."""

import os
import time

PROGRAMS = ["fernwerkd", "fernwerk-broker", "fernwerk-gate", "fernwerk-web", "fernwerk-seat", "fernwerk-greeter",
            "fernwerk-rdp", "fernwerk-vnc"]
KIND_PER_CONNECTION = {"fernwerk-greeter", "fernwerk-rdp", "fernwerk-vnc"}


def memory(pid):
    """smaps_rollup in KiB: "Pss" shares a page among those who map it, "Pss_Anon" are pages of its own making."""
    with open(f"/proc/{pid}/smaps_rollup") as file:
        lines = file.read().splitlines()[1:]
    return {name: int(rest.split()[0]) for name, rest in (line.split(":") for line in lines)}


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def processor_seconds(pid):
    """User and system time of all its threads, in nanosecond steps (/proc/PID/stat counts in ticks of 10 ms)."""
    return time.clock_gettime(~pid << 3 | 2)  # CPUCLOCK_SCHED of another process, see clock_getcpuclockid(3)


def title(pid):
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        return file.read().replace(b"\0", b" ").decode(errors="replace").strip()


def is_of_desktop(pid, desktop):
    """Whether this is the seat of that desktop, or serves a client there (base/lifeline.c writes titles)."""
    try:
        return title(pid).endswith((f": {desktop}", f" on {desktop}"))
    except OSError:
        return False  # it has just ended


def of_demo(demo):
    """{pid: (program, warm)}: warm processes wait for a connection and belong to none yet."""
    found = {}
    for program in PROGRAMS:
        for pid in demo.pids(program):
            try:
                found[pid] = (program, program in KIND_PER_CONNECTION and " on " not in title(pid))
            except OSError:
                continue  # it has just ended
    return found
