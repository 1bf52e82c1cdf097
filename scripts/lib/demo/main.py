"""scripts/demo: from a clone to a desktop. The steps in their order; what they do stands in the modules beside."""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time

import guests
import handshake
import machine
import options as command_line
import programs
import reach
from instance import Instance, is_alive, write_private
from progress import DemoError, Step, run_logged, say, tail

ROOT = os.path.realpath(f"{os.path.dirname(__file__)}/../../..")
START_TIMEOUT = 600  # seconds until all desktops to start must have a picture; emulation is slow


def try_lock(lock):
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def directory_lock(directory):
    """One start or stop at a time in a folder."""
    with open(f"{directory}/.lock", "w") as lock:
        if not try_lock(lock):
            with Step(f"waiting for another demo that starts or stops in {directory}") as step:
                while not try_lock(lock):
                    step.tick()
                    time.sleep(0.1)
        yield


@contextlib.contextmanager
def undisturbed():
    """Ending things takes seconds; a second Ctrl-C must not leave half of them behind. virsh and others that are
    started meanwhile ignore it, too: it reaches all of the terminal's foreground."""
    before = {number: signal.signal(number, signal.SIG_IGN)
              for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end(instance):
    with undisturbed():
        instance.stop()
        reach.leave(instance.directory)


def stop(directory):
    if not os.path.isdir(directory):
        return
    with directory_lock(directory):
        end(Instance(directory, reach.name_of(directory)))


def make_accounts(instance, tools, options):
    """Admin, users, template, desktops and assignments, as far as they are missing."""
    def call(*arguments, **keywords):
        return instance.call(tools, *arguments, **keywords)

    instance.memory.setdefault("passwords", {})
    for name in ["admin"] + [f"user{i}" for i in range(1, options.users + 1)]:
        secret = instance.password(name)
        instance.save()
        if call("user", "show", name, missing_ok=True) is None:
            flags = ["--admin"] if name == "admin" else []
            call("user", "add", name, *flags, "--password-stdin", secret=secret + "\n")
    template = f"{options.guest}-{options.size[0]}x{options.size[1]}-{options.keymap}"
    if call("template", "show", template, missing_ok=True) is None:
        call("template", "add", template,
             *guests.template_arguments(options.guest, instance.base, options.size, options.keymap))
    for i in range(1, options.users + 1):
        desktop = call("desktop", "show", f"d{i}", missing_ok=True)
        if desktop and desktop["template"] != template:
            say(f"d{i} was made from {desktop['template']} and is made anew")
            if desktop["assigned"]:
                call("unassign", f"d{i}")
            call("desktop", "remove", f"d{i}")
            desktop = None
        if not desktop:
            desktop = call("desktop", "create", f"d{i}", template)
        if desktop["assigned"] != f"user{i}":
            call("assign", f"d{i}", f"user{i}")


def start_desktops(instance, tools, options, process):
    names = [f"d{i}" for i in range(1, options.users + 1)]
    with Step(f"starting {len(names)} desktop{'s' if len(names) > 1 else ''}") as step:
        for name in names:
            instance.call(tools, "desktop", "start", name)
        deadline = time.monotonic() + START_TIMEOUT
        while names:
            desktop = instance.call(tools, "desktop", "show", names[0])
            if desktop["state"] == "running":
                names.pop(0)
                continue
            if desktop["state"] in ("failed", "off"):
                raise DemoError(f"desktop {names[0]} is {desktop['state']}: {desktop['reason']}")
            if process.poll() is not None:
                raise DemoError(f"fernwerkd ended; the end of {instance.log}:\n{tail(instance.log)}")
            if time.monotonic() > deadline:
                raise DemoError(f"desktop {names[0]} has no picture after {START_TIMEOUT} s")
            step.tick(f"({desktop['state']})")
            time.sleep(0.2)


def summary(instance, tools, options, ports):
    desktops = []
    for i in range(1, options.users + 1):
        domain = instance.call(tools, "desktop", "show", f"d{i}")["domain"]
        serial = f"{instance.directory}/state/images/serial/d{i}.log" if domain else None
        desktops.append({"name": f"d{i}", "domain": domain, "serial_log": serial})
    return {
        "version": 1, "listen": options.listen, "rdp": ports["rdp"], "vnc": ports["vnc"], "https": ports["https"],
        "ca": f"{instance.directory}/state/tls/ca.pem", "cli": instance.cli(tools),
        "libvirt_uri": None if options.guest == "pattern" else machine.URI,
        "admin": {"name": "admin", "password": instance.password("admin")},
        "users": [{"name": f"user{i}", "password": instance.password(f"user{i}"), "desktop": f"d{i}"}
                  for i in range(1, options.users + 1)],
        "desktops": desktops, "pids": instance.processes(), "dir": instance.directory, "guest": options.guest,
        "uuid": instance.uuid, "log": instance.log,
    }


def explain(document, shown_host):
    """How to connect, for people; on standard output."""
    host = command_line.bracketed(shown_host)
    user = document["users"][0]
    print(f"""
Fernwerk runs. Log in as {user['name']} with the password {user['password']}

  browser  https://{host}:{document['https']}/   (its authority: {document['ca']})
  RDP      xfreerdp3 /v:{host}:{document['rdp']} /u:{user['name']} /p:{user['password']} /cert:ignore /gfx:AVC420 /dynamic-resolution
           or any other RDP client: {host}:{document['rdp']}; mstsc with the .rdp file from the browser's page
  VNC      vncviewer -SecurityTypes X509Plain -X509CA {document['ca']} {host}::{document['vnc']}

  admin    {document['admin']['name']}, password {document['admin']['password']} (the same page)
  command  {' '.join(document['cli'])} status""")
    for other in document["users"][1:]:
        print(f"  {other['name']:8} password {other['password']}, desktop {other['desktop']}")
    print(f"\nEverything about it: {document['dir']}/demo.json; log: {document['log']}", flush=True)


def bring_up(instance, options):
    """From nothing to a running Fernwerk; returns fernwerkd's process and the document for demo.json."""
    virtual = options.guest != "pattern"
    log = f"{instance.directory}/log/build.log"
    tools, pages = programs.provide(ROOT, instance, options.build, log)
    if virtual:
        guests.take(ROOT, options.guest, instance.directory, options.keymap, log)
    machine.make_users()
    instance.memory["virtual"] = virtual or instance.memory.get("virtual", False)
    instance.save()
    uids = machine.claim_uids(instance.directory, is_alive)
    if virtual:
        machine.acquire_libvirt(instance.directory, is_alive)
    instance.write_config(tools, pages, options, uids, virtual)
    process, ports = instance.start(tools)
    try:
        with Step("making accounts and desktops"):
            make_accounts(instance, tools, options)
        if options.start == "all":
            start_desktops(instance, tools, options, process)
        with Step("trying every port"):
            for protocol in handshake.PROTOCOLS:
                handshake.prove(protocol, options.shown_host, ports[protocol],
                                f"{instance.directory}/state/tls/ca.pem")
        document = summary(instance, tools, options, ports)
        write_private(instance.summary, document)
    except Exception as error:
        text = str(error) if isinstance(error, DemoError) else f"{type(error).__name__}: {error}"
        raise DemoError(f"{text}\nThe end of {instance.log}:\n{tail(instance.log)}") from error
    return process, document


def run(options):
    directory = os.path.abspath(options.dir)
    if options.stop:
        stop(directory)
        return 0
    os.makedirs(directory, mode=0o755, exist_ok=True)
    os.chmod(directory, os.stat(directory).st_mode | 0o011)
    with directory_lock(directory):
        instance = Instance(directory, reach.reach(directory))
        if instance.pid():
            raise DemoError(f"a demo runs in {directory} already; end it with: demo --stop --dir {directory}")
        try:
            process, document = bring_up(instance, options)
        except BaseException:
            end(instance)
            raise
    status = 0
    try:
        with contextlib.suppress(OSError):  # who read this may have gone
            explain(document, options.shown_host)
            if not options.detach:
                print("Ctrl-C ends it.", flush=True)
        if options.detach:
            return 0
        status = process.wait()
        if status:
            say(f"fernwerkd ended (status {status}); the end of {instance.log}:\n{tail(instance.log)}")
        else:
            say("Fernwerk was told to end")  # by demo --stop
    except KeyboardInterrupt:
        pass
    with undisturbed():
        stop(directory)
    return 1 if status else 0


def interrupted(_signal, _frame):
    raise KeyboardInterrupt


def main():
    signal.signal(signal.SIGTERM, interrupted)
    signal.signal(signal.SIGHUP, interrupted)
    try:
        return run(command_line.parse(sys.argv[1:]))
    except (DemoError, OSError, subprocess.SubprocessError) as error:
        say(f"demo: {error}")
        return 1
    except KeyboardInterrupt:
        say("interrupted; all that was started has ended")
        return 130


if __name__ == "__main__":
    sys.exit(main())
