"""The workloads: recordings made from what Debian's packages bring, the same ones on every run.

Each function draws 1920x1080 frames into a recording.Writer; after the last frame the first one must be able to follow.
"""

import os

import numpy
from PIL import Image, ImageDraw, ImageFont

import recording

WIDTH, HEIGHT = 1920, 1080
FPS = 30
VERSION = 2  # of what is drawn: another one makes all recordings anew
FONTS = "/usr/share/fonts/truetype/dejavu"
TEXT = "/usr/share/common-licenses/GPL-3"
PHOTOGRAPH = "/usr/share/backgrounds/Kleiber_by_Lukas_Baubkus.jpg"
OTHER_PHOTOGRAPH = "/usr/share/backgrounds/Infinite-Sea_by_Aury88.jpg"


def pixels(image):
    """A Pillow picture as a recording has it."""
    rgb = numpy.asarray(image.convert("RGB"))
    return numpy.concatenate([rgb[..., ::-1], numpy.full((*rgb.shape[:2], 1), 255, numpy.uint8)], axis=2)


def mono(size):
    return ImageFont.truetype(f"{FONTS}/DejaVuSansMono.ttf", size)


def sans(size):
    return ImageFont.truetype(f"{FONTS}/DejaVuSans.ttf", size)


def lines():
    with open(TEXT) as file:
        return [line.rstrip() for line in file if line.strip()]


def photograph(path, width, height):
    """A photograph cut and shrunk to this size."""
    image = Image.open(path).convert("RGB")
    scale = max(width / image.width, height / image.height)
    image = image.resize((round(image.width * scale), round(image.height * scale)), Image.LANCZOS)
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


class Film:
    """A Writer with the bar code: tell what a frame draws, then end it with show()."""

    def __init__(self, path, first, frames, interval_us=1000000 // FPS, last=None):
        """last: the number that the last frame shows, where that is not its own."""
        first = first.copy()
        recording.draw_code(first, frames - 1 if last is None else last)
        self.writer = recording.Writer(path, first, interval_us)
        self.picture = self.writer.picture
        self.frames = frames
        self.number = 0

    def put(self, block, x, y, same_as=None):
        height, width = block.shape[:2]
        self.picture[y:y + height, x:x + width] = block
        self.writer.pixels(x, y, width, height, same_as)

    def move(self, x, y, width, height, from_x, from_y):
        self.writer.copy(x, y, width, height, from_x, from_y)

    def show(self, over_code=False):
        """Ends a frame; over_code: it has drawn where the code stands."""
        if over_code:
            recording.draw_code(self.picture, self.number)
            self.writer.pixels(0, 0, recording.CODE_WIDTH, recording.CELL)
        else:
            for cell in recording.draw_code(self.picture, self.number):
                self.writer.pixels(cell * recording.CELL, 0, recording.CELL, recording.CELL)
        self.writer.frame()
        self.number += 1

    def hold(self, frames):
        """So many frames more in which nothing moves, not even the code."""
        for _ in range(frames):
            self.writer.frame()
            self.number += 1

    def close(self):
        assert self.number == self.frames, f"{self.number} frames, not {self.frames}"
        self.writer.close()


def titled(image, title, ground="#d8dce2", ink="#202428"):
    """A window's title bar over the whole width; the bar code stands at its left."""
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, WIDTH, 23), fill=ground)
    draw.text((WIDTH // 2, 12), title, font=sans(14), fill=ink, anchor="mm")


def typing(path):
    """An editor full of text; at its end three lines are written, a character a frame, then cut away again."""
    font, line, advance, left, top = mono(16), 21, 10, 60, 40
    columns, writing = 100, 3
    image = Image.new("RGB", (WIDTH, HEIGHT), "#ffffff")
    titled(image, "COPYING - Editor")
    draw = ImageDraw.Draw(image)
    rows = (HEIGHT - top - 40) // line - writing - 1
    for i, text in enumerate(lines()[:rows]):
        draw.text((left - 12, top + i * line), str(i + 1), font=font, fill="#90989f", anchor="ra")
        draw.text((left, top + i * line), text, font=font, fill="#202428")
    begin = top + rows * line
    base = pixels(image)
    words = " ".join(lines()[rows:])[:columns * writing]
    cells = {}

    def cell(character, cursor):
        if (character, cursor) not in cells:
            block = Image.new("RGB", (advance, line), "#ffffff")
            brush = ImageDraw.Draw(block)
            brush.text((0, 0), character, font=font, fill="#202428")
            if cursor:
                brush.rectangle((0, 0, 1, line), fill="#1060c0")
            cells[character, cursor] = pixels(block)
        return cells[character, cursor]

    def place(i):
        return left + i % columns * advance, begin + i // columns * line

    # The picture before the first frame has all that was written.
    first = base.copy()
    for i, character in enumerate(words):
        x, y = place(i)
        first[y:y + line, x:x + advance] = cell(character, False)
    film = Film(path, first, len(words))
    for i, character in enumerate(words):
        x, y = place(i)
        if i == 0:
            film.put(base[begin:begin + writing * line, left:left + columns * advance], left, begin)
        film.put(cell(character, False), x, y)
        if i + 1 < len(words):
            film.put(cell(" ", True), *place(i + 1))
        film.show()
    film.close()


def scroll(path):
    """A terminal over the whole screen in which a build runs: a line a frame."""
    font, line, top, left = mono(15), 18, 24, 6
    rows, frames = (HEIGHT - top) // line, 300
    colours = ["#d0d4d8", "#8ae234", "#729fcf", "#fce94f", "#ef7b7b", "#ad9fd8"]
    words = " ".join(lines()).split()
    image = Image.new("RGB", (WIDTH, HEIGHT), "#14181c")
    titled(image, "root@debian: /usr/src - Terminal", "#30363c", "#e0e4e8")

    def row(number):
        block = Image.new("RGB", (WIDTH, line), "#14181c")
        brush = ImageDraw.Draw(block)
        x, i = left, number * 17
        brush.text((x, 0), f"[{number + 1:3d}/{frames}]", font=font, fill=colours[1])
        x += 100
        limit = 700 + number * 397 % 1150
        while x < limit:
            word = words[i % len(words)]
            brush.text((x, 0), word, font=font, fill=colours[(i * 7 + number) % 6 if i % 4 == 0 else 0])
            x += 9 * (len(word) + 1)
            i += 1
        return pixels(block)

    blocks = [row(number) for number in range(frames)]
    first = pixels(image)
    for i in range(rows):  # the last of them is the last frame's
        y = top + i * line
        first[y:y + line] = blocks[(i - rows) % frames]
    film = Film(path, first, frames)
    for number in range(frames):
        film.move(0, top, WIDTH, (rows - 1) * line, 0, top + line)
        film.put(blocks[number], 0, top + (rows - 1) * line)
        film.show()
    film.close()


def moving_pictures(width, height, frames):
    """A camera that pans and turns over one photograph while another one passes in front: yields frame by frame."""
    scale = 1.6
    behind = photograph(PHOTOGRAPH, int(width * scale), int(height * scale))
    front = photograph(OTHER_PHOTOGRAPH, width // 3, height // 3)
    for i in range(frames):
        t = i / (frames - 1)
        angle = 0.12 * numpy.sin(2.2 * t)
        zoom = 1.05 - 0.15 * t
        cos, sin = zoom * numpy.cos(angle), zoom * numpy.sin(angle)
        # Where the middle of the frame looks.
        x = behind.width * (0.5 + 0.09 * numpy.sin(3.0 * t))
        y = behind.height * (0.5 + 0.07 * numpy.cos(2.0 * t))
        matrix = (cos, -sin, x - cos * width / 2 + sin * height / 2, sin, cos, y - sin * width / 2 - cos * height / 2)
        image = behind.transform((width, height), Image.AFFINE, matrix, Image.BILINEAR)
        image.paste(front, (round(width * (0.05 + 0.55 * t)), round(height * (0.55 - 0.3 * t))))
        yield pixels(image)


def there_and_back(count):
    """0 .. count-1 and back to 1: one turn."""
    return [*range(count), *range(count - 2, 0, -1)]


def video(path):
    """A moving picture over the whole screen."""
    pictures = list(moving_pictures(WIDTH, HEIGHT, 48))
    turn = there_and_back(len(pictures))
    film = Film(path, pictures[turn[-1]], len(turn))
    for number in turn:
        film.put(pictures[number], 0, 0, same_as=number)
        film.show(over_code=True)
    film.close()


def beside_film(film):
    """A screen with a film in its left half, text in the other. The film's corner has the bar code: beside the film
    it could be shown before the picture that it counts."""
    image = Image.new("RGB", (WIDTH, HEIGHT), "#ffffff")
    titled(image, "Player and reader")
    draw = ImageDraw.Draw(image)
    for i, text in enumerate(lines()[:48]):
        draw.text((WIDTH // 2 + 24, 40 + i * 21), text, font=mono(16), fill="#202428")
    first = pixels(image)
    first[:, :WIDTH // 2] = film
    return first


def half(path):
    """A moving picture in a half of the screen, text in the other."""
    pictures = list(moving_pictures(WIDTH // 2, HEIGHT, 48))
    turn = there_and_back(len(pictures))
    film = Film(path, beside_film(pictures[turn[-1]]), len(turn))
    for number in turn:
        film.put(pictures[number], 0, 0, same_as=number)
        film.show(over_code=True)
    film.close()


def stop(path):
    """A moving picture in a half of the screen that stands still two seconds of three."""
    moving, still = FPS, 2 * FPS
    pictures = list(moving_pictures(WIDTH // 2, HEIGHT, moving))
    film = Film(path, beside_film(pictures[-1]), moving + still, last=moving - 1)
    for picture in pictures:
        film.put(picture, 0, 0)
        film.show(over_code=True)
    film.hold(still)
    film.close()


def beside(path):
    """A moving picture in a half of the screen, a terminal that scrolls a line a frame in the other."""
    pictures = list(moving_pictures(WIDTH // 2, HEIGHT, 48))
    turn = there_and_back(len(pictures))
    left, top, line = WIDTH // 2, 24, 18
    rows, font = (HEIGHT - top) // line, mono(15)
    words = " ".join(lines()).split()

    def row(number):
        block = Image.new("RGB", (left, line), "#14181c")
        text = " ".join(words[(number * 17 + i) % len(words)] for i in range(4 + number * 397 % 12))
        ImageDraw.Draw(block).text((6, 0), text[:104], font=font, fill="#d0d4d8")
        return pixels(block)

    blocks = [row(number) for number in range(len(turn))]
    first = beside_film(pictures[turn[-1]])
    first[top:, left:] = pixels(Image.new("RGB", (left, HEIGHT - top), "#14181c"))
    for i in range(rows):  # the last of them is the last frame's
        first[top + i * line:top + (i + 1) * line, left:] = blocks[(i - rows) % len(blocks)]
    film = Film(path, first, len(turn))
    for number, frame in enumerate(turn):
        film.put(pictures[frame], 0, 0, same_as=frame)
        film.move(left, top, left, (rows - 1) * line, left, top + line)
        film.put(blocks[number], left, top + (rows - 1) * line)
        film.show(over_code=True)
    film.close()


def corners(path):
    """Two small moving pictures in opposite corners, text between them."""
    wide, tall, margin = 480, 270, 24
    pictures = list(moving_pictures(wide, tall, 48))
    turn = there_and_back(len(pictures))
    image = Image.new("RGB", (WIDTH, HEIGHT), "#ffffff")
    titled(image, "Call")
    draw = ImageDraw.Draw(image)
    for i, text in enumerate(lines()[:48]):
        draw.text((WIDTH // 2 - 420, 40 + i * 21), text, font=mono(16), fill="#202428")
    first = pixels(image)
    places = [(0, 0), (WIDTH - wide - margin, HEIGHT - tall - margin)]
    for x, y in places:
        first[y:y + tall, x:x + wide] = pictures[turn[-1]]
    film = Film(path, first, len(turn))
    for i, number in enumerate(turn):
        film.put(pictures[number], *places[0], same_as=number)
        other = turn[(i + len(turn) // 3) % len(turn)]
        film.put(pictures[other], *places[1], same_as=other)
        film.show(over_code=True)
    film.close()


def document(path):
    """A page of text and pictures in a reader, scrolled smoothly down and up."""
    top, left, wide, tall, step = 24, 360, 1200, 4800, 12
    page = Image.new("RGB", (wide, tall), "#ffffff")
    draw = ImageDraw.Draw(page)
    words, x, y = " ".join(lines()).split(), 80, 60
    font = sans(19)
    for i, word in enumerate(words):
        length = int(draw.textlength(word + " ", font=font))
        if x + length > wide - 80:
            x, y = 80, y + 30
        if y > tall - 60:
            break
        if i % 260 == 259:
            page.paste(photograph(PHOTOGRAPH if i // 260 % 2 else OTHER_PHOTOGRAPH, 520, 300), (340, y + 44))
            x, y = 80, y + 370
        draw.text((x, y), word, font=font, fill="#202428")
        x += length
    page = pixels(page)
    view = HEIGHT - top
    steps = there_and_back((tall - view) // step + 1)
    image = Image.new("RGB", (WIDTH, HEIGHT), "#70767c")
    titled(image, "GNU General Public License - Reader")
    first = pixels(image)
    first[top:, left:left + wide] = page[steps[-1] * step:steps[-1] * step + view]
    film = Film(path, first, len(steps))
    for before, now in zip([steps[-1], *steps], steps):
        if now > before:
            film.move(left, top, wide, view - step, left, top + step)
            film.put(page[now * step + view - step:now * step + view], left, top + view - step)
        else:
            film.move(left, top + step, wide, view - step, left, top)
            film.put(page[now * step:now * step + step], left, top)
        film.show()
    film.close()


def drag(path):
    """A window with text that is dragged around over a photograph."""
    wide, tall, frames = 800, 560, 240
    ground = pixels(photograph(PHOTOGRAPH, WIDTH, HEIGHT))
    window = Image.new("RGB", (wide, tall), "#fafafa")
    draw = ImageDraw.Draw(window)
    draw.rectangle((0, 0, wide - 1, tall - 1), outline="#303438")
    draw.rectangle((1, 1, wide - 2, 27), fill="#3a6ea5")
    draw.text((wide // 2, 14), "Notes", font=sans(14), fill="#ffffff", anchor="mm")
    for i, text in enumerate(lines()[:25]):
        draw.text((16, 40 + i * 20), text, font=mono(14), fill="#202428")
    window = pixels(window)

    def place(i):
        angle = 2 * numpy.pi * i / frames
        return (round((WIDTH - wide) / 2 + 480 * numpy.sin(angle)),
                round((HEIGHT - tall) / 2 + 40 + 180 * numpy.sin(2 * angle)))

    x, y = place(frames - 1)
    first = ground.copy()
    first[y:y + tall, x:x + wide] = window
    film = Film(path, first, frames)
    for i in range(frames):
        new_x, new_y = place(i)
        film.move(new_x, new_y, wide, tall, x, y)
        # What the window leaves behind: a strip at one side, another above or below.
        if dx := abs(new_x - x):
            strip = x if new_x > x else new_x + wide
            film.put(ground[y:y + tall, strip:strip + dx], strip, y)
        if dy := abs(new_y - y):
            strip = y if new_y > y else new_y + tall
            begin, end = max(x, new_x), min(x, new_x) + wide
            film.put(ground[strip:strip + dy, begin:end], begin, strip)
        film.show()
        x, y = new_x, new_y
    film.close()


def switch(path):
    """Two windows with text and a photograph each, of which every second the other one comes to the front."""
    wide, tall, left, top, other_left, other_top, bar = 1400, 860, 90, 70, 430, 160, 30

    def window(title, picture, first_line):
        image = Image.new("RGB", (wide, tall), "#fcfcfa")
        draw = ImageDraw.Draw(image)
        for i, text in enumerate(lines()[first_line:first_line + 38]):
            draw.text((20, bar + 16 + i * 21), text[:64], font=mono(16), fill="#202428")
        image.paste(photograph(picture, 660, 720), (710, bar + 24))
        return image, draw, title

    def drawn(one, active):
        image, draw, title = one
        draw.rectangle((0, 0, wide - 1, bar - 1), fill="#3a6ea5" if active else "#c8ccd2")
        draw.text((wide // 2, bar // 2), title, font=sans(14), fill="#ffffff" if active else "#70767c", anchor="mm")
        draw.rectangle((0, 0, wide - 1, tall - 1), outline="#303438")
        return pixels(image)

    windows = [(window("Letter", PHOTOGRAPH, 0), left, top),
               (window("Article", OTHER_PHOTOGRAPH, 120), other_left, other_top)]
    image = Image.new("RGB", (WIDTH, HEIGHT), "#50606c")
    titled(image, "Desktop")
    picture = pixels(image)
    # The other one's title bar, where it is still to be seen, and all of the one that comes to the front.
    faces = [[drawn(one, active) for active in (False, True)] for one, _, _ in windows]
    for number in (0, 1):
        for which, active in ((1 - number, False), (number, True)):
            _, x, y = windows[which]
            picture[y:y + tall, x:x + wide] = faces[which][active]
    film = Film(path, picture, 4, interval_us=1000000)
    for number in range(4):
        front, back = windows[number % 2], windows[1 - number % 2]
        film.put(faces[1 - number % 2][False][:bar], back[1], back[2])
        film.put(faces[number % 2][True], front[1], front[2])
        film.show()
    film.close()


def idle(path):
    """A photograph at which nothing happens."""
    film = Film(path, pixels(photograph(PHOTOGRAPH, WIDTH, HEIGHT)), 1, interval_us=1000000)
    film.show()
    film.close()


ALL = {one.__name__: one for one in (typing, scroll, video, idle, document, drag, half, beside, stop, corners, switch)}
SLOW = [idle, switch]  # whose rate is their own


def make(name, folder, fps=FPS):
    """The recording of this name below folder, made unless it is there; returns its path. fps: of what moves."""
    path = f"{folder}/{name}-{VERSION}.rec"
    if not os.path.exists(path):
        os.makedirs(folder, exist_ok=True)
        ALL[name](path)
    return path if fps == FPS or ALL[name] in SLOW else recording.at_another_rate(path, round(1e6 / fps))
