"""The demo's command line."""

import argparse
import ipaddress
import re
import socket

DEFAULT_DIRECTORY = "/var/lib/fernwerk-demo"


def size(text):
    match = re.fullmatch(r"(\d+)x(\d+)", text)
    if not match or not (320 <= int(match[1]) <= 8192 and 200 <= int(match[2]) <= 8192):
        raise argparse.ArgumentTypeError(f"{text!r} is no size between 320x200 and 8192x8192, like 1920x1080")
    return int(match[1]), int(match[2])


def number(low, high):
    def parse(text):
        if not text.isdigit() or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"{text!r} is no number from {low} to {high}")
        return int(text)
    return parse


def layout(text):
    if not re.fullmatch(r"[a-z][a-z0-9_]*", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no keyboard layout's name, like us or de")
    return text


def address(text):
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no IP address") from None


def bracketed(host):
    """An address as it stands before a colon and a port."""
    return f"[{host}]" if ":" in host else host


def shown_host(listen):
    """The address to tell people: where a port is open on every address, the one by which this machine goes out."""
    if not ipaddress.ip_address(listen).is_unspecified:
        return listen
    family, far = (socket.AF_INET6, "2001:db8::1") if ":" in listen else (socket.AF_INET, "192.0.2.1")
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((far, 9))  # sends nothing
            return probe.getsockname()[0]
    except OSError:
        return "::1" if ":" in listen else "127.0.0.1"


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="demo", description="Installs what Fernwerk needs, builds it and its guest, starts it with an admin and "
        "users with desktops, says how to connect, and ends it all at Ctrl-C.")
    port = number(0, 65535)
    parser.add_argument("--guest", choices=["tiny", "debian", "pattern"], default="debian",
                        help="what the desktops run; pattern: no VM and no libvirt (default: debian)")
    parser.add_argument("--size", type=size, default=(1920, 1080), metavar="WxH",
                        help="screen before a client brings its own (default: 1920x1080)")
    parser.add_argument("--users", type=number(1, 256), default=1, metavar="N",
                        help="users, each with a desktop d1 to dN (default: 1)")
    parser.add_argument("--start", choices=["all", "none"], default="all",
                        help="desktops to start at once (default: all)")
    parser.add_argument("--keymap", type=layout, default="us", metavar="LAYOUT",
                        help="the desktops' XKB keyboard layout (default: us)")
    parser.add_argument("--dir", default=DEFAULT_DIRECTORY,
                        help=f"folder of all state, logs and sockets (default: {DEFAULT_DIRECTORY})")
    parser.add_argument("--rdp", type=port, default=0, metavar="PORT", help="0, the default here and below: any free")
    parser.add_argument("--vnc", type=port, default=0, metavar="PORT")
    parser.add_argument("--https", type=port, default=0, metavar="PORT")
    parser.add_argument("--listen", type=address, default="127.0.0.1", metavar="ADDR",
                        help="address of all ports (default: 127.0.0.1)")
    parser.add_argument("--build", metavar="BUILD", help="use the programs of this CMake build folder as they are")
    parser.add_argument("--detach", action="store_true", help="exit once everything works and leave it running")
    parser.add_argument("--stop", action="store_true", help="end the demo of --dir")
    options = parser.parse_args(arguments)
    options.shown_host = shown_host(options.listen)
    return options
