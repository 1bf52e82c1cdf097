"""The browser as a viewer beside the others: a page with its user logged in and one desktop on it."""

from lib.browser import Browser, WebDriverError

# The cells of the frame number, each one's centre, as card.frame_number() reads them; a whole picture takes longer.
READ_NUMBER = """
const c = document.querySelector('canvas');
if (!c || c.width < 512 || c.height < 16) return null;
const pixels = c.getContext('2d').getImageData(0, 8, 512, 1).data;
let number = 0;
for (let i = 0; i < 32; i++) {
  const level = pixels[4 * (16 * i + 8) + 1];
  if (level > 63 && level < 193) return null;
  number = number * 2 + (level >= 128 ? 1 : 0);
}
return number;
"""


class Page(Browser):
    """Like lib.clients' viewers: user and password, picture(), number(), wait_card()."""

    def __init__(self, demo, user=None, password=None, **options):
        super().__init__(demo, **options)
        self.user = user or demo.user()["name"]
        self.password = password or demo.user()["password"]

    def __enter__(self):
        super().__enter__()
        try:
            self.log_in(self.user, self.password)
        except BaseException:
            self.__exit__()
            raise
        return self

    def picture(self):
        return self.canvas_pixels()

    def number(self):
        try:
            return self.script(READ_NUMBER)
        except WebDriverError:
            return None
