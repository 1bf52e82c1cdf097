"""The bench's own parts, without a server: the link, when it counts as recovered, what is written."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree

import numpy
import pytest

HERE = os.path.dirname(os.path.realpath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [HERE, f"{HERE}/../common", f"{HERE}/../../e2e"]

import measure  # noqa: E402
import options  # noqa: E402
import plot  # noqa: E402
import recording  # noqa: E402
import sockets  # noqa: E402
import table  # noqa: E402
from lib.wait import until  # noqa: E402


class Echo:
    """What a relay leads to: sends back what comes."""

    def __init__(self, *link):
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.serve, daemon=True).start()
        port = self.listener.getsockname()[1]
        self.relay = subprocess.Popen([sys.executable, f"{HERE}/relay.py", str(port), *map(str, link)],
                                      stdout=subprocess.PIPE, text=True)
        self.client = socket.create_connection(("127.0.0.1", int(self.relay.stdout.readline())))

    def serve(self):
        server, _ = self.listener.accept()
        while data := server.recv(65536):
            server.sendall(data)

    def seconds(self, count):
        """For this many bytes there and back."""
        begin = time.monotonic()
        threading.Thread(target=self.client.sendall, args=[bytes(count)], daemon=True).start()
        while count:
            count -= len(self.client.recv(65536))
        return time.monotonic() - begin

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.relay.kill()
        self.relay.wait()
        self.relay.stdout.close()
        self.client.close()
        self.listener.close()


# Links are never quicker than said; how much slower is the machine's load.

def test_a_link_delays_by_its_round_trip():
    with Echo(100, 0) as echo:
        assert 0.1 <= echo.seconds(1) < 2
        assert 0.1 <= echo.seconds(1) < 2


def test_a_link_is_no_faster_than_its_rate():
    with Echo(0, 1) as echo:
        assert 0.48 <= echo.seconds(62500) < 5


def test_a_links_rate_falls_when_told():
    with Echo(0, 8, 0.8) as echo:
        echo.seconds(50000)
        echo.relay.send_signal(signal.SIGUSR1)
        time.sleep(0.3)
        assert echo.seconds(50000) >= 0.48


def frames(*stretches):
    """(time, latency) at 20 frames a second; stretches: (from, to, latency)."""
    return [(when, latency) for begin, end, latency in stretches for when in numpy.arange(begin, end, 0.05)]


def test_a_link_has_recovered_when_frames_are_no_longer_late():
    arrived = frames((0, 5, 0.1), (5, 6, 0.9), (6, 10, 0.1))
    assert measure.recovery(arrived, 5, 10, 0.1) == pytest.approx(1.0)


def test_a_link_that_never_suffers_has_recovered_at_once():
    assert measure.recovery(frames((0, 10, 0.1)), 5, 10, 0.1) < 0.06


def test_a_link_whose_frames_stay_late_has_not_recovered():
    assert measure.recovery(frames((0, 5, 0.1), (5, 10, 0.2)), 5, 10, 0.1) is None


def test_a_link_that_shows_nothing_has_not_recovered():
    assert measure.recovery(frames((0, 5, 0.1)), 5, 10, 0.1) is None
    assert measure.recovery(frames((0, 5, 0.1), (5, 8, 0.1)), 5, 10, 0.1) is None


def test_what_is_seen_for_a_moment_only_is_no_recovery():
    assert measure.recovery(frames((0, 5, 0.1), (5, 9, 0.9), (9, 10, 0.1)), 5, 10, 0.1) is None


def test_a_link_has_recovered_behind_its_last_gap():
    assert measure.recovery(frames((0, 5.5, 0.1), (6.5, 10, 0.1)), 5, 10, 0.1) == pytest.approx(1.5)


def test_links_are_read_with_and_without_a_step():
    assert options.links("0/0,100/20,100/5-0.5") == [None, (100, 20, None), (100, 5, 0.5)]
    for wrong in ("100", "100/5-6", "100/5-0", "100/5-1-1", "-1/5"):
        with pytest.raises(ValueError):
            options.links(wrong)


def test_input_is_measured_alone():
    found = options.parse(["--input"])
    assert found.workload == ["input"] and set(found.only) == set(options.INPUT_SERVERS) and None in found.link
    assert "input" not in options.parse([]).workload
    with pytest.raises(SystemExit):
        options.parse(["--workload", "input", "--only", "tigervnc"])


def test_a_server_that_has_to_be_given_takes_no_part_by_itself(tmp_path):
    assert "turbovnc" not in options.parse([]).only
    with pytest.raises(SystemExit):
        options.parse(["--only", "turbovnc"])
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/Xvnc").touch(0o755)
    assert "turbovnc" in options.parse(["--turbovnc", str(tmp_path)]).only


@pytest.fixture
def results():
    found = table.Results(30)
    usual = {"fps": 30.0, "cpu_ms": 1.5, "bytes": 1234.0, "lat_p50_ms": 10.0, "lat_p95_ms": 20.0, "psnr_y": 99.0,
             "ssim": 1.0, "exact_ms": None, "pss_mb": 50.0}
    for cpu_ms in (1.0, 2.0, 6.0):
        found.add(table.Case("typing", "fernwerk-rdp"), {**usual, "cpu_ms": cpu_ms})
    found.add(table.Case("typing", "tigervnc"), {**usual, "psnr_y": 40.0})
    found.add(table.Case("typing", "tigervnc", 1, (100, 5, 0.5)), {**usual, "recovery_ms": 900.0})
    found.add(table.Case("input", "fernwerk-vnc"), {"lat_p50_ms": 9.0, "lat_p95_ms": 12.0, "presses": 60})
    return found


def test_json_is_a_list_of_cases_with_their_medians(results, tmp_path):
    results.write_json(tmp_path / "out.json")
    first, second, stepped, pressed = json.loads((tmp_path / "out.json").read_text())
    assert {"server", "workload", "sessions", "fps", "cpu_ms", "bytes", "lat_p50_ms", "lat_p95_ms", "psnr_y", "ssim",
            "exact_ms", "pss_mb", "recovery_ms", "rtt_ms", "mbit_s", "later_mbit_s"} <= set(first)
    assert (first["cpu_ms"], len(first["rounds"]), first["exact_ms"], first["recovery_ms"]) == (2.0, 3, None, None)
    assert (second["rtt_ms"], second["mbit_s"], second["later_mbit_s"]) == (0, 0, 0)
    assert (stepped["rtt_ms"], stepped["mbit_s"], stepped["later_mbit_s"], stepped["recovery_ms"]) == (100, 5, 0.5, 900)
    assert pressed["workload"] == "input" and pressed["fps"] is None and pressed["lat_p95_ms"] == 12


def test_the_table_has_the_columns_that_were_measured(results):
    typing, pressed = results.tables(list(results.rounds))
    assert typing[0][:3] == ["typing", "fps", "CPU ms/frame"] and "exact ms" not in typing[0]
    assert typing[3][0] == "tigervnc, 100 ms, 5 then 0.5 Mbit/s" and typing[3][-1] == "900"
    assert "equal" in typing[1]
    assert pressed == [["input", "p50 ms", "p95 ms"], ["fernwerk-vnc", "9.0", "12.0"]]


def test_the_table_tells_who_has_not_recovered(results):
    stepped = table.Case("typing", "tigervnc", 1, (100, 5, 0.5))
    results.rounds[stepped] = [{"fps": 1.0, "recovery_ms": None}]
    typing, _ = results.tables(list(results.rounds))
    assert typing[0][-1] == "recovery ms" and typing[3][-1] == "-"


def test_docs_get_the_parts_that_were_measured_and_keep_the_others(results, tmp_path):
    marks = [(table.BEGIN.format(part), table.END.format(part)) for part in table.PARTS]
    (tmp_path / "performance.md").write_text("\n".join(f"{begin}\nold {i}\n{end}" for i, (begin, end) in
                                                       enumerate(marks)))
    results.write_docs(tmp_path)
    written = (tmp_path / "performance.md").read_text()
    assert [f"old {i}" in written for i in range(5)] == [False, True, True, False, False]
    assert all(begin in written and end in written for begin, end in marks)
    assert "| typing | fps |" in written and "](input.svg)" in written
    for picture in ("peers", "peers-picture", "links", "input"):
        xml.etree.ElementTree.parse(tmp_path / f"{picture}.svg")
    assert not (tmp_path / "sessions.svg").exists()
    results.write_docs(tmp_path)
    assert (tmp_path / "performance.md").read_text() == written


def test_the_docs_have_a_place_for_every_part():
    with open(f"{HERE}/../../../docs/performance.md") as file:
        document = file.read()
    for part in table.PARTS:
        table.put(document, part, "")


def test_bars_are_as_long_as_their_figures():
    scale = plot.Scale("cpu_ms", [1.0, None, 100.0])
    assert [scale.share(value) for value in (0, 1.0, 10.0, 100.0)] == pytest.approx([0, 0, 0.5, 1])
    assert plot.Scale("fps", [0.0, 15.0, 30.0]).share(15.0) == pytest.approx(0.5)
    assert plot.Scale("psnr_y", [40.0, 99.0]).share(99.0) == 1


def test_drawing_a_frame_tells_what_it_has_changed(tmp_path):
    first = numpy.zeros((32, 32, 4), numpy.uint8)
    writer = recording.Writer(f"{tmp_path}/a.rec", first, 1000)
    writer.picture[8:16, 0:4] = 7
    writer.pixels(0, 8, 4, 8)
    writer.copy(16, 16, 4, 8, 0, 8)
    writer.frame()
    writer.close()
    film = recording.Recording(f"{tmp_path}/a.rec")
    picture = numpy.ones_like(first)
    film.draw_first(picture)
    assert film.draw(0, picture) == [(0, 8, 4, 8), (16, 16, 4, 8)]
    assert (picture == writer.picture).all() and picture[16, 16, 0] == 7


def busy_round(cpu_ms, busy, pss_mb=50.0):
    return {"fps": 30.0, "cpu_ms": cpu_ms, "busy": busy, "pss_mb": pss_mb}


def test_what_several_sessions_cost_is_told_beside_one_ones():
    found = table.Results(30)
    for sessions, cpu_ms, busy in ((1, 2.0, 0.1), (2, 2.1, 0.2), (8, 3.0, 0.9)):
        found.add(table.Case("typing", "fernwerk-rdp", sessions), busy_round(cpu_ms, busy))
    ratios = [found.ratios(case)["cost_ratio"] for case in found.rounds]
    assert ratios == [None, pytest.approx(1.05), None]  # with eight the machine was too busy to tell
    heading, *rows = next(found.tables(list(found.rounds)))
    assert heading[-2:] == ["busy", "cost(N)/(N cost(1))"] and [row[-1] for row in rows] == ["-", "1.05", "-"]


def test_no_more_sessions_are_tried_than_keep_the_machine_busy():
    found = table.Results(30)
    found.add(table.Case("typing", "fernwerk-rdp", 4), busy_round(2.0, 0.9))
    assert found.is_saturated(table.Case("typing", "fernwerk-rdp", 8))
    for other in (table.Case("typing", "fernwerk-rdp", 4), table.Case("typing", "fernwerk-rdp", 2),
                  table.Case("typing", "tigervnc", 8), table.Case("video", "fernwerk-rdp", 8)):
        assert not found.is_saturated(other)
    assert options.parse(["--sessions", "8,1,2"]).sessions == [1, 2, 8]  # fewer first


def test_what_a_further_viewer_costs_is_told_beside_the_first_one(tmp_path):
    found = table.Results(30)
    for viewers, cpu_ms, pss_mb in ((1, 10.0, 80.0), (2, 11.0, 90.0), (3, 13.0, 110.0)):
        found.add(table.Case("video", "fernwerk-rdp", viewers=viewers), busy_round(cpu_ms, 0.5, pss_mb))
    found.write_json(tmp_path / "out.json")
    first, *others = json.loads((tmp_path / "out.json").read_text())
    assert (first["viewers"], first["viewer_cpu_ratio"], first["viewer_mb"]) == (1, None, None)
    assert [one["viewer_cpu_ratio"] for one in others] == [pytest.approx(0.1), pytest.approx(0.15)]
    assert [one["viewer_mb"] for one in others] == [10, 15]
    assert all(found.part(case) == "viewers" for case in found.rounds)


def test_viewers_are_of_servers_that_take_several():
    assert not set(options.parse(["--viewers", "1,2"]).only) & set(options.ALONE)
    for wrong in (["--only", "fernwerk-web"], ["--sessions", "2"], ["--link", "20/20"], ["--workload", "input"]):
        with pytest.raises(SystemExit):
            options.parse(["--viewers", "2", *wrong])


def test_what_a_server_has_sent_is_counted_by_its_port():
    with socket.create_server(("127.0.0.1", 0)) as listener, \
            socket.create_connection(listener.getsockname()) as client, \
            contextlib.closing(sockets.Sent(listener.getsockname()[1])) as sent:
        server, _ = listener.accept()
        with server:
            assert sent.bytes() == 0
            client.sendall(bytes(100))
            server.sendall(bytes(12345))
            client.recv(12345, socket.MSG_WAITALL)
            until(lambda: sent.bytes() == 12345, 5, "the acknowledgement", pause=0.01)


class Shown:
    """A window that shows the picture that a test gives it."""

    top = left = 0

    def __init__(self, picture):
        self.screen, self.pixels = self, picture


def test_what_is_sent_from_the_last_moving_frame_until_it_is_exact_is_counted(monkeypatch):
    monkeypatch.setattr(measure, "WIDTH", 320)
    monkeypatch.setattr(measure, "HEIGHT", 240)
    still = numpy.full((240, 320, 4), 50, numpy.uint8)
    recording.draw_code(still, 7)
    shown = still.copy()
    recording.draw_code(shown, 6)
    sent = iter([1000, 1700])
    watch = measure.Watch(Shown(shown), None, (7, still), lambda: next(sent))
    watch.begin(0)
    shown[:] = still
    shown[100:] += 1
    for now in range(1, 4):
        watch.look(now)
    assert not watch.exact
    shown[:] = still
    watch.look(4)
    watch.look(5)
    assert len(watch.exact) == 1 and watch.exact_bytes == [700]


def test_the_area_that_moves_is_without_the_code(tmp_path):
    writer = recording.Writer(f"{tmp_path}/a.rec", numpy.zeros((64, 320, 4), numpy.uint8), 1000)
    writer.pixels(40, 20, 100, 30)
    writer.pixels(32, 0, 16, 16)
    writer.frame()
    writer.close()
    assert measure.moving_area(recording.Recording(f"{tmp_path}/a.rec"), 0) == (40, 20, 100, 30)
