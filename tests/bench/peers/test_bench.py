"""The bench's own parts, without a server: the link, when it counts as recovered, what is written."""

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
import table  # noqa: E402


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
    assert [f"old {i}" in written for i in range(4)] == [False, True, False, False]  # no several sessions
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
