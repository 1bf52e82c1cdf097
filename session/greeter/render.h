/* Writes every screen of the greeter as a PNG, to be looked at by people who change it. */
#pragma once

/* Into `dir`, at 800x600, 1920x1080 and 3840x2160. Returns the program's exit code. */
int render_screens(const char *dir);
