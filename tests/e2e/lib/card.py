"""The test card as docs/test-card.md describes it: reading the frame number, expected areas, comparing pictures.

Pictures are numpy arrays, height x width x 3, RGB.
"""

import numpy

CELLS, CELL = 32, 16
BARS = ["ffffff", "ffff00", "00ffff", "00ff00", "ff00ff", "ff0000", "0000ff", "000000"]
FIXED_TOP, FIXED_BOTTOM_GAP = 80, 88  # rows between them depend on nothing but the size


def rgb(text):
    return tuple(int(text[i:i + 2], 16) for i in (0, 2, 4))


def frame_number(picture):
    """The 32-bit number in the cells, or None when a cell is neither black nor white: then it is no card."""
    if picture.shape[0] < CELL or picture.shape[1] < CELL * CELLS:
        return None
    number = 0
    for i in range(CELLS):
        cell = picture[4:12, CELL * i + 4:CELL * i + 12].astype(int)
        level = cell.mean()
        if 64 < level < 192 or cell.std() > 40:
            return None
        number = number << 1 | (level >= 128)
    return number


def expected(width, height):
    """The rows from colour bars to fine patterns, which never change: {first row: picture}."""
    areas = numpy.zeros((128, width, 3), numpy.uint8)
    for i, colour in enumerate(BARS):
        areas[0:64, i * width // 8:(i + 1) * width // 8] = rgb(colour)
    for i in range(16):
        areas[64:96, i * width // 16:(i + 1) * width // 16] = i * 0x11
    x, y = numpy.meshgrid(numpy.arange(width), numpy.arange(176, 208))
    quarter = x * 4 // width
    lit = numpy.select([quarter == 0, quarter == 1, quarter == 2], [x & 1, y & 1, (x + y) & 1], (x + y) % 4 == 0)
    areas[96:128] = numpy.where(lit.astype(bool), 255, 0)[..., None]
    return areas


def is_card(picture, tolerance=40):
    """Whether a picture shows a card of exactly its own size: cells, bars and ramp are where they belong."""
    height, width = picture.shape[:2]
    if height < 320 or frame_number(picture) is None:
        return False
    bars = expected(width, height)[0:96].astype(int)
    # Lossy chroma blurs the edges between bars; their insides count.
    difference = numpy.abs(picture[80:176].astype(int) - bars).max(axis=2)
    return bool((difference > tolerance).mean() < 0.05)


def box_x(frame, width):
    span = width - 64
    if span <= 0:
        return 0
    way = 8 * frame % (2 * span)
    return way if way <= span else 2 * span - way


def psnr(left, right):
    """Peak signal-to-noise ratio in dB of two pictures of one size; infinite when equal."""
    error = ((left.astype(float) - right.astype(float)) ** 2).mean()
    return float("inf") if error == 0 else 10 * numpy.log10(255 ** 2 / error)


def shrunk(picture, width, height):
    """A picture made smaller: each new pixel is the mean of what it covers."""
    def shares(new, old):
        edges, pixels = numpy.arange(new + 1)[:, None] * old / new, numpy.arange(old)
        covered = numpy.minimum(edges[1:], pixels + 1) - numpy.maximum(edges[:-1], pixels)
        return covered.clip(0) * new / old

    down, across = shares(height, picture.shape[0]), shares(width, picture.shape[1])
    return numpy.einsum("yh,hwc,xw->yxc", down, picture.astype(float), across, optimize=True).round().astype(numpy.uint8)


def difference(left, right):
    """Where two pictures differ, in words for an assertion."""
    if left.shape != right.shape:
        return f"sizes {left.shape[1]}x{left.shape[0]} and {right.shape[1]}x{right.shape[0]}"
    rows, columns = numpy.nonzero((left != right).any(axis=2))
    if not len(rows):
        return "equal"
    return (f"{len(rows)} pixels differ, inside x {columns.min()}..{columns.max()}, y {rows.min()}..{rows.max()}; "
            f"PSNR {psnr(left, right):.1f} dB")


# Pixels of ink in the words of the state area.
INK = {"MOVING": 124, "FROZEN": 126}


def is_frozen(picture):
    """What the card itself says: MOVING or FROZEN. For pictures without loss, the VM's own screenshots."""
    lit = int((picture[40:56, 216:264].min(axis=2) > 128).sum())
    states = [word for word, count in INK.items() if count == lit]
    assert states, f"{lit} pixels of ink are neither word"
    return states[0] == "FROZEN"
