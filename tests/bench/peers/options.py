"""The command line of scripts/bench. Imports nothing that has to be installed first, so that --help always works."""

import argparse
import os

SERVERS = {
    "fernwerk-rdp": "RDP, H.264 (AVC420), to xfreerdp3",
    "fernwerk-rdp444": "the same with AVC444",
    "fernwerk-rdpfx": "the same without H.264: RemoteFX",
    "fernwerk-vnc": "VNC to TigerVNC's viewer",
    "fernwerk-web": "the portal's page in Chromium, H.264",
    "fernwerk-rdp-nohints": "as fernwerk-rdp with a screen that cannot tell what has changed",
    "fernwerk-vnc-nohints": "as fernwerk-vnc with such a screen",
    "tigervnc": "TigerVNC's Xvnc, Tight with quality 8",
    "shadow": "FreeRDP's shadow server beside an Xvfb, AVC420",
    "x11vnc": "x11vnc beside an Xvfb, Tight with quality 8",
    "qemu": "QEMU's own VNC server, Tight with quality 8, its screen drawn without a guest",
    "xrdp": "Debian 13's xrdp with xorgxrdp, RemoteFX progressive",
    "turbovnc": "TurboVNC's Xvnc, Tight with quality 8; needs --turbovnc",
}
WORKLOADS = {
    "typing": "a character a frame in an editor",
    "scroll": "a terminal that scrolls a line a frame",
    "video": "a moving picture over the whole screen",
    "idle": "nothing; its figures are per second",
    "document": "a page with pictures, scrolled smoothly",
    "drag": "a window dragged over a photograph",
    "half": "a moving picture in a half of the screen",
    "beside": "the same, and a terminal that scrolls in the other half",
    "stop": "the same, standing still two seconds of three: for the time until it is exact",
    "corners": "two small moving pictures in opposite corners",
    "switch": "two windows, of which every second the other one comes to the front",
    "input": "a key press at the tiny guest until the client shows the answer; Fernwerk only, not by default",
}
INPUT = "input"
BUSY = 0.85  # the share of all cores beyond which figures of several sessions tell about the machine
INPUT_SERVERS = ["fernwerk-rdp", "fernwerk-vnc", "fernwerk-web"]
INPUT_LINKS = "0/0,20/20,100/20,200/20,100/5,100/0.5"
ALONE = ["fernwerk-web", "xrdp"]  # that show a desktop to one client only, or cannot be had without all of the demo
QUICK_SERVERS = ["fernwerk-rdp", "fernwerk-vnc", "tigervnc", "shadow"]
QUICK_WORKLOADS = ["typing", "scroll", "video"]


def names(kind, known):
    def parsed(text):
        found = text.split(",")
        if unknown := set(found) - set(known):
            unknown = ", ".join(sorted(unknown))
            raise argparse.ArgumentTypeError(f"no such {kind}: {unknown}; there are {', '.join(known)}")
        return found
    return parsed


def counts(text):
    return sorted({number(int, 1)(word) for word in text.split(",")})


def link(word):
    """(round trip in ms, Mbit/s, Mbit/s after a step down or None), None: no link. A rate of 0 is none."""
    rtt, rate = word.split("/")
    rate, *later = rate.split("-")
    rtt, rate, *later = (number(float, 0)(part) for part in (rtt, rate, *later))
    if len(later) > 1 or later and not 0 < later[0] < rate:
        raise ValueError
    return (rtt, rate, later[0] if later else None) if rtt or rate else None


def links(text):
    return [link(word) for word in text.split(",")]


def number(kind, least):
    def parsed(text):
        if (value := kind(text)) < least:
            raise ValueError
        return value
    parsed.__name__ = f"number, at least {least},"
    return parsed


def listed(known):
    return "\n".join(f"  {name:22} {text}" for name, text in known.items())


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="bench", allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Fernwerk against its peers: the same recorded frames through each server to a real client, in one "
                    "table.",
        epilog=f"servers:\n{listed(SERVERS)}\n\nworkloads:\n{listed(WORKLOADS)}\n\n"
               "How it is measured: docs/performance.md.")
    parser.add_argument("--quick", action="store_true",
                        help=f"{', '.join(QUICK_SERVERS)}; {', '.join(QUICK_WORKLOADS)}; two short rounds")
    parser.add_argument("--input", action="store_true",
                        help=f"--workload {INPUT} --only {','.join(INPUT_SERVERS)} --link {INPUT_LINKS} --rounds 1")
    parser.add_argument("--only", metavar="SERVER,...", type=names("server", SERVERS), help="some of the servers")
    parser.add_argument("--workload", metavar="W,...", type=names("workload", WORKLOADS), help="some of the workloads")
    parser.add_argument("--turbovnc", metavar="DIR", help="where a built TurboVNC is: DIR/bin/Xvnc")
    parser.add_argument("--sessions", type=counts, default=[1], metavar="N,...",
                        help=f"desktops at once, each with a client of its own (default: 1); no more of them once the "
                             f"machine is busy for more than {BUSY:.0%}%")
    parser.add_argument("--viewers", type=counts, metavar="N,...",
                        help="clients at once that look at the same desktop; of Fernwerk its seat and client processes "
                             "without gate, broker and page, since nobody may look on there yet")
    parser.add_argument("--link", type=links, metavar="MS/MBIT,...",
                        help="a link of this round trip and rate in between, e.g. 100/20; 0/0: none (default); "
                             "100/5-0.5: its rate falls half-way, in a round of at least 16 s")
    parser.add_argument("--fps", type=number(float, 1), default=30, metavar="N",
                        help="frames a second of what is played; fewer show whether dropped ones look like savings "
                             "(default: 30)")
    parser.add_argument("--rounds", type=number(int, 1), metavar="N", help="rounds of each (default: 5)")
    parser.add_argument("--seconds", type=number(float, 1), metavar="S", help="of one round (default: 6)")
    parser.add_argument("--json", metavar="FILE", help="write all figures there")
    parser.add_argument("--docs", action="store_true", help="write table and plot into docs/performance.md")
    options = parser.parse_args(arguments)
    if options.input:
        options.only, options.workload = options.only or INPUT_SERVERS, options.workload or [INPUT]
        options.link, options.rounds = options.link or links(INPUT_LINKS), options.rounds or 1
    options.link = options.link or [None]
    options.only = options.only or (QUICK_SERVERS if options.quick else
                                    [name for name in SERVERS if (name != "turbovnc" or options.turbovnc) and
                                     not (options.viewers and name in ALONE)])
    options.workload = options.workload or (QUICK_WORKLOADS if options.quick else
                                            [name for name in WORKLOADS if name != INPUT])
    if INPUT in options.workload and (set(options.only) - set(INPUT_SERVERS) or len(options.workload) > 1 or
                                      options.sessions != [1] or any(one and one[2] for one in options.link)):
        parser.error(f"{INPUT} is measured alone, with one session, of {', '.join(INPUT_SERVERS)}, over steady links")
    if "turbovnc" in options.only and not os.access(f"{options.turbovnc}/bin/Xvnc", os.X_OK):
        parser.error(f"no TurboVNC at {options.turbovnc}" if options.turbovnc else "where is TurboVNC? --turbovnc DIR")
    if options.viewers and (set(options.only) & set(ALONE) or INPUT in options.workload or options.sessions != [1] or
                            options.link != [None]):
        parser.error(f"--viewers: not of {', '.join(ALONE)}; no --sessions, --link and {INPUT} beside it")
    options.viewers = options.viewers or [None]
    options.rounds = options.rounds or (2 if options.quick else 5)
    options.seconds = options.seconds or (4 if options.quick else 6)
    return options


if __name__ == "__main__":
    parse(None)
