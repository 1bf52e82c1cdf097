/* One line an event on stderr. */
#include "base/log.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 2048

static LogLevel threshold = LOG_LEVEL_INFO;
static char process_name[32] = "fernwerk";
static char subject_text[192];
static gboolean to_journal;
static GMutex subject_lock;

static GLogWriterOutput from_glib(GLogLevelFlags level, const GLogField *fields, gsize count, gpointer data)
{
    const char *message = NULL, *domain = "";
    for (gsize i = 0; i < count; i++) {
        if (strcmp(fields[i].key, "MESSAGE") == 0)
            message = fields[i].value;
        else if (strcmp(fields[i].key, "GLIB_DOMAIN") == 0)
            domain = fields[i].value;
    }
    LogLevel ours = level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL) ? LOG_LEVEL_ERROR
                    : level & G_LOG_LEVEL_WARNING                      ? LOG_LEVEL_WARNING
                                                                       : LOG_LEVEL_DEBUG;
    if (message)
        log_write(ours, "%s: %s", domain, message);
    return G_LOG_WRITER_HANDLED;
}

void log_open(const char *process, LogLevel level)
{
    g_strlcpy(process_name, process, sizeof process_name);
    threshold = level;
    to_journal = g_getenv("JOURNAL_STREAM") != NULL;
    static gboolean routed; /* GLib takes a writer only once; a program may set name and level again */
    if (!routed)
        g_log_set_writer_func(from_glib, NULL, NULL);
    routed = TRUE;
}

void log_subject(const char *subject)
{
    g_mutex_lock(&subject_lock);
    g_strlcpy(subject_text, subject ? subject : "", sizeof subject_text);
    g_mutex_unlock(&subject_lock);
}

LogLevel log_level(void)
{
    return threshold;
}

gboolean log_level_parse(const char *text, LogLevel *level)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        if (strcmp(text, names[i]) == 0) {
            *level = (LogLevel)i;
            return TRUE;
        }
    }
    return FALSE;
}

void log_write(LogLevel level, const char *format, ...)
{
    static const char *const words[] = {"error: ", "warning: ", "", "debug: "};
    static const int priorities[] = {3, 4, 6, 7};
    char line[LINE_MAX_BYTES];
    gsize used = 0;
    va_list arguments;

    if (level > threshold)
        return;
    if (to_journal) {
        used += (gsize)g_snprintf(line, sizeof line, "<%d>", priorities[level]);
    } else {
        struct timespec now;
        struct tm parts;
        clock_gettime(CLOCK_REALTIME, &now);
        gmtime_r(&now.tv_sec, &parts);
        used += strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%S", &parts);
        used += (gsize)g_snprintf(line + used, sizeof line - used, ".%03ldZ ", now.tv_nsec / 1000000);
    }
    g_mutex_lock(&subject_lock);
    used += (gsize)g_snprintf(line + used, sizeof line - used, "%s[%d]%s%s: %s", process_name, (int)getpid(),
                              *subject_text ? " " : "", subject_text, words[level]);
    g_mutex_unlock(&subject_lock);
    va_start(arguments, format);
    g_vsnprintf(line + used, sizeof line - used - 1, format, arguments);
    va_end(arguments);
    /* One line an event: what came from outside must not be able to write lines of its own. */
    for (char *p = line + used; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = ' ';
    used = strlen(line);
    line[used] = '\n';
    ssize_t ignored = write(STDERR_FILENO, line, used + 1);
    (void)ignored;
}
