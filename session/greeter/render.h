/* Writes every screen of the greeter as a PNG, to be looked at by people who change it. */
#pragma once

/* Into `dir`, at 800x600, 1920x1080 and 3840x2160. Returns the program's exit code. */
int render_screens(const char *dir);

/* One screen ("login", "failed", "off" or "none") of `size` ("1024x768"), about a desktop or "", with a sentence, into
 * `path`: by it a test recognises the sentence in a client's picture. Returns the exit status. */
int render_sentence(const char *path, const char *size, const char *screen, const char *desktop,
                    const char *sentence);
