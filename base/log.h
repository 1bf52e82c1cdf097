/* The log of every process: one line an event on stderr (journald's priority prefix when JOURNAL_STREAM is
 * set), the subject first. Secrets never. */
#pragma once

#include <glib.h>

typedef enum { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG } LogLevel;

/* Sets the name that opens each line ("fernwerk-seat") and the level; also routes GLib's own messages here.
 * Call at start, before threads; again when the level
 * is known. */
void log_open(const char *process, LogLevel level);

/* The subject of this process's lines from now on, e.g. "alice on d1"; NULL for none. Copied. */
void log_subject(const char *subject);

/* The level in force. */
LogLevel log_level(void);
gboolean log_level_parse(const char *text, LogLevel *level);

void log_write(LogLevel level, const char *format, ...) G_GNUC_PRINTF(2, 3);
#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)
