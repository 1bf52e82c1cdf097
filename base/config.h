/* The configuration: INI at /etc/fernwerk/fernwerk.conf, then the .conf files of conf.d beside it; one table
 * of keys. */
#pragma once

#include <gio/gio.h>

typedef struct Config Config;

/* Reads `path` and then the *.conf of the folder conf.d beside it in the order of their names (later ones
 * win). An unknown section or key, a bad value, a line that is none, or a file over 64 KiB is an error that
 * names file and line. Returns the configuration with every default filled in; free with config_free(). Any
 * thread. */
Config *config_load(const char *path, GError **error);
/* As config_load() for one text of `length` bytes, named `name` in errors; for tests and the fuzzer. */
Config *config_parse(const char *name, const char *text, gsize length, GError **error);
void config_free(Config *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Config, config_free)

/* Values by "section.key"; a key that is not in the table is a programming error (assert). Strings are
 * borrowed; unset strings are "". */
const char *config_string(const Config *config, const char *key);
gint64 config_integer(const Config *config, const char *key);
gboolean config_boolean(const Config *config, const char *key);

/* How an error about a key's value opens: "FILE:LINE: SECTION.KEY", without the first part for a default.
 * Caller frees. */
char *config_where(const Config *config, const char *key);

/* The path in `key` (NULL: none), or `name` below state_dir when it is empty. Caller frees. */
char *config_state_path(const Config *config, const char *key, const char *name);

/* Both ends of a range key, e.g. fernwerk.uid_range. */
void config_range(const Config *config, const char *key, gint64 *first, gint64 *last);

#define CONFIG_ENDPOINTS_MAX 7 /* addresses of one listener key */
typedef struct {
    char host[64]; /* numeric address, or "*": all of IPv6 and IPv4 */
    guint16 port;  /* 0: any free one */
} Endpoint;

/* Parses a list of address:port, separated by spaces or commas, into an array of Endpoint (free with
 * g_ptr_array_unref()); an error's message continues "KEY ...". Any thread. */
GPtrArray *config_endpoints(const char *text, GError **error);

/* Writes the table as the commented default file, and as Markdown for docs/configuration.md. Caller frees. */
char *config_describe(gboolean markdown);
