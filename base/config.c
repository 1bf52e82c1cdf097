/* Reads the configuration and describes its table. What the keys are stands in config_table.c. */
#include "base/config.h"

#include "base/config_table.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX 65536
#define FILES_MAX 256

typedef struct {
    char *text;
    gint64 number;
    char *where; /* "FILE:LINE: " that set it; NULL: the default */
} Value;

struct Config {
    guint count;
    Value values[]; /* parallel to config_keys */
};

static guint key_count(void)
{
    guint n = 0;
    while (config_keys[n].section)
        n++;
    return n;
}

static gint find_key(const char *section, const char *key)
{
    for (gint i = 0; config_keys[i].section; i++)
        if (strcmp(config_keys[i].section, section) == 0 && strcmp(config_keys[i].key, key) == 0)
            return i;
    return -1;
}

static gboolean known_section(const char *name)
{
    for (guint i = 0; config_sections[i].name; i++)
        if (strcmp(config_sections[i].name, name) == 0)
            return TRUE;
    return FALSE;
}

static char *read_boolean(const char *text, gint64 *number)
{
    static const char *const yes[] = {"yes", "true", "on", "1"}, *const no[] = {"no", "false", "off", "0"};
    for (guint i = 0; i < G_N_ELEMENTS(yes); i++) {
        if (g_ascii_strcasecmp(text, yes[i]) == 0 || g_ascii_strcasecmp(text, no[i]) == 0) {
            *number = g_ascii_strcasecmp(text, yes[i]) == 0;
            return NULL;
        }
    }
    return g_strdup("must be yes or no");
}

static char *read_range(const ConfigKey *key, const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, "-", 2);
    guint64 first, last;
    if (g_strv_length(parts) != 2 ||
        !g_ascii_string_to_unsigned(g_strstrip(parts[0]), 10, (guint64)key->minimum, (guint64)key->maximum,
                                    &first, NULL) ||
        !g_ascii_string_to_unsigned(g_strstrip(parts[1]), 10, first, (guint64)key->maximum, &last, NULL))
        return g_strdup_printf("must be FIRST-LAST, two numbers from %" G_GINT64_FORMAT
                               " to %" G_GINT64_FORMAT,
                               key->minimum, key->maximum);
    return NULL;
}

/* A name as useradd takes it, or a number. */
static gboolean is_identity(const char *text)
{
    if (strlen(text) > 32)
        return FALSE;
    for (const char *p = text; *p; p++)
        if (!g_ascii_isalnum(*p) && *p != '_' && *p != '.' && *p != '$' && (*p != '-' || p == text))
            return FALSE;
    return TRUE;
}

static gboolean is_choice(const ConfigKey *key, const char *text)
{
    g_auto(GStrv) choices = g_strsplit(key->choices, "|", -1);
    return g_strv_contains((const char *const *)choices, text);
}

static gboolean are_choices(const ConfigKey *key, const char *text)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    for (guint i = 0; words[i]; i++)
        if (*words[i] && !is_choice(key, words[i]))
            return FALSE;
    return TRUE;
}

/* Checks `text` for `key`. Returns NULL, or what is wrong, continuing "KEY ...". */
static char *read_value(const ConfigKey *key, const char *text, gint64 *number)
{
    g_autoptr(GError) error = NULL;
    *number = 0;
    switch (key->type) {
    case CONFIG_STRING:
        return !key->pattern || g_regex_match_simple(key->pattern, text, G_REGEX_DOLLAR_ENDONLY, 0)
                   ? NULL
                   : g_strdup_printf("must be %s", key->shape);
    case CONFIG_INTEGER:
        if (!g_ascii_string_to_signed(text, 10, key->minimum, key->maximum, number, NULL))
            return g_strdup_printf("must be a number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT,
                                   key->minimum, key->maximum);
        return NULL;
    case CONFIG_BOOLEAN:
        return read_boolean(text, number);
    case CONFIG_CHOICE:
        return is_choice(key, text) ? NULL : g_strdup_printf("must be one of %s", key->choices);
    case CONFIG_CHOICES:
        return are_choices(key, text) ? NULL : g_strdup_printf("must be some of %s", key->choices);
    case CONFIG_PATH: {
        gint64 longest = key->maximum ? key->maximum : PATH_LENGTH_MAX;
        if (*text && *text != '/')
            return g_strdup("must be an absolute path");
        return strlen(text) <= (gsize)longest
                   ? NULL
                   : g_strdup_printf("must be a path of at most %" G_GINT64_FORMAT " bytes", longest);
    }
    case CONFIG_ENDPOINTS: {
        g_autoptr(GPtrArray) list = config_endpoints(text, &error);
        if (!list)
            return g_strdup(error->message);
        return list->len <= (guint)key->maximum
                   ? NULL
                   : g_strdup_printf("must be at most %" G_GINT64_FORMAT " address%s", key->maximum,
                                     key->maximum == 1 ? "" : "es");
    }
    case CONFIG_RANGE:
        return read_range(key, text);
    case CONFIG_UUID:
        return *text && !g_uuid_string_is_valid(text) ? g_strdup("must be a UUID") : NULL;
    case CONFIG_IDENTITY:
        return is_identity(text) ? NULL : g_strdup("must be the name or the number of a user or group");
    }
    g_assert_not_reached();
}

static Config *config_new(void)
{
    guint count = key_count();
    Config *config = g_malloc0(sizeof *config + count * sizeof(Value));
    config->count = count;
    for (guint i = 0; i < count; i++) {
        config->values[i].text = g_strdup(config_keys[i].value);
        g_autofree char *problem =
            read_value(&config_keys[i], config_keys[i].value, &config->values[i].number);
        if (problem)
            g_error("the default of %s %s", config_keys[i].key, problem);
    }
    return config;
}

static void value_clear(Value *value)
{
    g_free(value->text);
    g_free(value->where);
}

void config_free(Config *config)
{
    if (!config)
        return;
    for (guint i = 0; i < config->count; i++)
        value_clear(&config->values[i]);
    g_free(config);
}

G_GNUC_PRINTF(4, 5)
static gboolean complain(GError **error, const char *name, guint line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *what = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "%s:%u: %s", name, line, what);
    return FALSE;
}

static gboolean parse_assignment(Config *config, const char *section, char *line, const char *name,
                                 guint number, GError **error)
{
    char *equals = strchr(line, '=');
    if (!equals)
        return complain(error, name, number, "expected [section], KEY = VALUE or a comment (# or ;)");
    *equals = '\0';
    const char *key = g_strstrip(line);
    const char *text = g_strstrip(equals + 1);
    if (!*section)
        return complain(error, name, number, "%s stands before the first [section]", key);
    gint index = find_key(section, key);
    if (index < 0)
        return complain(error, name, number, "unknown key %s in section [%s]", key, section);
    g_autofree char *problem = read_value(&config_keys[index], text, &config->values[index].number);
    if (problem)
        return complain(error, name, number, "%s %s, not \"%s\"", key, problem, text);
    value_clear(&config->values[index]);
    config->values[index].text = g_strdup(text);
    config->values[index].where = g_strdup_printf("%s:%u: ", name, number);
    return TRUE;
}

static gboolean parse_line(Config *config, char *section, gsize section_size, char *line, const char *name,
                           guint number, GError **error)
{
    g_strstrip(line);
    if (!*line || *line == '#' || *line == ';')
        return TRUE;
    if (*line != '[')
        return parse_assignment(config, section, line, name, number, error);
    gsize length = strlen(line);
    if (line[length - 1] != ']')
        return complain(error, name, number, "a section's name must end with ]");
    line[length - 1] = '\0';
    const char *wanted = g_strstrip(line + 1);
    if (!known_section(wanted))
        return complain(error, name, number, "unknown section [%s]", wanted);
    g_strlcpy(section, wanted, section_size);
    return TRUE;
}

static gboolean parse_text(Config *config, const char *name, const char *text, gsize length, GError **error)
{
    char section[32] = "";
    guint number = 1;

    if (length > FILE_MAX)
        return complain(error, name, 1, "larger than %d bytes", FILE_MAX);
    for (gsize at = 0; at < length; number++) {
        const char *end = memchr(text + at, '\n', length - at);
        gsize line_length = end ? (gsize)(end - text) - at : length - at;
        if (memchr(text + at, 0, line_length) || !g_utf8_validate(text + at, (gssize)line_length, NULL))
            return complain(error, name, number, "is not UTF-8 text");
        g_autofree char *line = g_strndup(text + at, line_length);
        if (!parse_line(config, section, sizeof section, line, name, number, error))
            return FALSE;
        at += line_length + 1;
    }
    return TRUE;
}

Config *config_parse(const char *name, const char *text, gsize length, GError **error)
{
    g_autoptr(Config) config = config_new();
    return parse_text(config, name, text, length, error) ? g_steal_pointer(&config) : NULL;
}

static gboolean read_into(Config *config, const char *path, GError **error)
{
    char buffer[FILE_MAX + 1];
    gsize used = 0;
    ssize_t n;
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0 || fstat(fd, &status) < 0 || (!S_ISREG(status.st_mode) && (errno = EINVAL))) {
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno), "%s: cannot be read: %s", path,
                    g_strerror(errno));
        if (fd >= 0)
            close(fd);
        return FALSE;
    }
    while (used < sizeof buffer &&
           ((n = read(fd, buffer + used, sizeof buffer - used)) > 0 || (n < 0 && errno == EINTR)))
        used += n > 0 ? (gsize)n : 0;
    close(fd);
    return parse_text(config, path, buffer, used, error);
}

static gint by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static GPtrArray *list_parts(const char *path)
{
    GPtrArray *parts = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *beside = g_path_get_dirname(path);
    g_autofree char *folder = g_build_filename(beside, "conf.d", NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    while (dir && (name = g_dir_read_name(dir)) && parts->len < FILES_MAX)
        if (*name != '.' && g_str_has_suffix(name, ".conf"))
            g_ptr_array_add(parts, g_build_filename(folder, name, NULL));
    g_ptr_array_sort(parts, by_name);
    return parts;
}

Config *config_load(const char *path, GError **error)
{
    g_autoptr(Config) config = config_new();
    if (!read_into(config, path, error))
        return NULL;
    g_autoptr(GPtrArray) parts = list_parts(path);
    for (guint i = 0; i < parts->len; i++)
        if (!read_into(config, parts->pdata[i], error))
            return NULL;
    return g_steal_pointer(&config);
}

static const Value *value_of(const Config *config, const char *name, gboolean number)
{
    const char *dot = strchr(name, '.');
    g_assert(dot && dot - name < 32);
    g_autofree char *section = g_strndup(name, (gsize)(dot - name));
    gint index = find_key(section, dot + 1);
    if (index < 0)
        g_error("the program asks for the configuration key %s, which is not in the table", name);
    ConfigType type = config_keys[index].type;
    g_assert(!number || type == CONFIG_INTEGER || type == CONFIG_BOOLEAN);
    return &config->values[index];
}

char *config_where(const Config *config, const char *key)
{
    const Value *value = value_of(config, key, FALSE);
    return g_strconcat(value->where ? value->where : "", key, NULL);
}

const char *config_string(const Config *config, const char *key)
{
    return value_of(config, key, FALSE)->text;
}

gint64 config_integer(const Config *config, const char *key)
{
    return value_of(config, key, TRUE)->number;
}

gboolean config_boolean(const Config *config, const char *key)
{
    return value_of(config, key, TRUE)->number != 0;
}

char *config_state_path(const Config *config, const char *key, const char *name)
{
    const char *text = key ? config_string(config, key) : "";
    return *text ? g_strdup(text) : g_build_filename(config_string(config, "fernwerk.state_dir"), name, NULL);
}

void config_range(const Config *config, const char *key, gint64 *first, gint64 *last)
{
    g_auto(GStrv) parts = g_strsplit(config_string(config, key), "-", 2);
    *first = g_ascii_strtoll(parts[0], NULL, 10);
    *last = g_ascii_strtoll(parts[1], NULL, 10);
}

static Endpoint *endpoint_parse(const char *text, GError **error)
{
    const char *colon = strrchr(text, ':');
    guint64 port;
    if (!colon || !g_ascii_string_to_unsigned(colon + 1, 10, 0, 65535, &port, NULL)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "must be a list of address:port (\"%.64s\" has no port)", text);
        return NULL;
    }
    gboolean bracketed = text[0] == '[' && colon > text + 1 && colon[-1] == ']';
    g_autofree char *host =
        bracketed ? g_strndup(text + 1, (gsize)(colon - text) - 2) : g_strndup(text, (gsize)(colon - text));
    if (strcmp(host, "*") != 0 &&
        (!g_hostname_is_ip_address(host) || bracketed != (strchr(host, ':') != NULL))) {
        g_set_error(
            error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
            "must be a list of address:port with numeric addresses, IPv6 in brackets, * for all (\"%.64s\")",
            text);
        return NULL;
    }
    Endpoint *endpoint = g_new0(Endpoint, 1);
    g_strlcpy(endpoint->host, host, sizeof endpoint->host);
    endpoint->port = (guint16)port;
    return endpoint;
}

GPtrArray *config_endpoints(const char *text, GError **error)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(g_free);
    g_auto(GStrv) words = g_strsplit_set(text, " \t,", -1);
    for (guint i = 0; words[i]; i++) {
        if (!*words[i])
            continue;
        Endpoint *endpoint = endpoint_parse(words[i], error);
        if (!endpoint)
            return NULL;
        g_ptr_array_add(list, endpoint);
        if (list->len > CONFIG_ENDPOINTS_MAX) {
            g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "must name at most %d addresses",
                        CONFIG_ENDPOINTS_MAX);
            return NULL;
        }
    }
    return g_steal_pointer(&list);
}

static char *limits_of(const ConfigKey *key)
{
    switch (key->type) {
    case CONFIG_INTEGER:
        return g_strdup_printf("%" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, key->minimum, key->maximum);
    case CONFIG_BOOLEAN:
        return g_strdup("yes or no");
    case CONFIG_CHOICE:
    case CONFIG_CHOICES: {
        g_auto(GStrv) words = g_strsplit(key->choices, "|", -1);
        return g_strjoinv(", ", words);
    }
    case CONFIG_PATH:
        return g_strdup("absolute path");
    case CONFIG_ENDPOINTS:
        return key->maximum == 1 ? g_strdup("address:port")
                                 : g_strdup_printf("up to %" G_GINT64_FORMAT " address:port", key->maximum);
    case CONFIG_RANGE:
        return g_strdup("first-last");
    case CONFIG_UUID:
        return g_strdup("UUID");
    case CONFIG_IDENTITY:
        return g_strdup("name or number");
    case CONFIG_STRING:
        return g_strdup(key->shape ? key->shape : "text");
    }
    g_assert_not_reached();
}

static void append_comment(GString *out, const char *text)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    gsize column = 0;
    for (guint i = 0; words[i]; i++) {
        if (column == 0 || column + 1 + strlen(words[i]) > 98) {
            g_string_append(out, column ? "\n#" : "#");
            column = 1;
        }
        g_string_append_printf(out, " %s", words[i]);
        column += 1 + strlen(words[i]);
    }
    g_string_append_c(out, '\n');
}

static void describe_key(GString *out, const ConfigKey *key, gboolean markdown)
{
    g_autofree char *limits = limits_of(key);
    if (markdown) {
        g_string_append_printf(out, "| `%s` | %s%s%s | %s | %s |\n", key->key, *key->value ? "`" : "",
                               *key->value ? key->value : "empty", *key->value ? "`" : "", limits, key->text);
        return;
    }
    append_comment(out, key->text);
    g_string_append_printf(out, "#%s =%s%s\n\n", key->key, *key->value ? " " : "", key->value);
}

char *config_describe(gboolean markdown)
{
    GString *out = g_string_new(
        markdown ? "# Configuration\n\n"
                   "`/etc/fernwerk/fernwerk.conf`, then `conf.d/*.conf` beside it in the order of their "
                   "names; a later "
                   "value wins. The files are INI: `[section]`, `key = value`, and comments on lines of "
                   "their own that "
                   "open with `#` or `;`. An unknown key or a bad value is an error with file and line; "
                   "`fernwerkd "
                   "--check-config` finds it before a restart does. Changes take effect when Fernwerk is "
                   "restarted; "
                   "certificates are read again at once (`systemctl reload fernwerk`).\n\n"
                   "This page is made by `fernwerkd --describe-config=markdown` from the table in "
                   "`base/config_table.c`; a test compares them.\n"
                 : "# Fernwerk's configuration. Every key stands here with its default; remove the # to "
                   "change one.\n"
                   "# More files may stand in conf.d/*.conf beside this one. Check with: fernwerkd "
                   "--check-config\n\n");
    for (guint s = 0; config_sections[s].name; s++) {
        const ConfigSection *section = &config_sections[s];
        if (markdown) {
            g_string_append_printf(
                out, "\n## [%s]\n\n%s\n\n| key | default | values | meaning |\n|---|---|---|---|\n",
                section->name, section->text);
        } else {
            append_comment(out, section->text);
            g_string_append_printf(out, "[%s]\n\n", section->name);
        }
        for (guint i = 0; config_keys[i].section; i++)
            if (strcmp(config_keys[i].section, section->name) == 0)
                describe_key(out, &config_keys[i], markdown);
    }
    if (!markdown)
        g_string_truncate(out, out->len - 1);
    return g_string_free(out, FALSE);
}
