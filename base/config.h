/* The configuration: INI at /etc/fernwerk/fernwerk.conf plus conf.d/*.conf beside it, one table of keys. */
#pragma once

#include <gio/gio.h>

typedef struct Config Config;

/* Reads `path` and then the *.conf of the folder conf.d beside it in the order of their names (later ones win).
 * An unknown section or key, a bad value, a line that is none, or a file over 64 KiB is an error that names file and
 * line. Returns the configuration with every default filled in; free with config_free(). Any thread. */
Config *config_load(const char *path, GError **error);
/* As config_load() for one text of `length` bytes, named `name` in errors; for tests and the fuzzer. */
Config *config_parse(const char *name, const char *text, gsize length, GError **error);
void config_free(Config *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Config, config_free)

/* Values by "section.key"; a key that is not in the table is a programming error (assert). Strings are borrowed;
 * unset strings are "". */
const char *config_string(const Config *config, const char *key);
gint64 config_integer(const Config *config, const char *key);
gboolean config_boolean(const Config *config, const char *key);

/* Writes the table as the commented default file, and as Markdown for docs/configuration.md. Caller frees. */
char *config_describe(gboolean markdown);
