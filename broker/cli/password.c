/* Passwords from the terminal or from stdin; never from the command line or the environment. */
#include "broker/cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define PASSWORD_BYTES_MAX 255

/* One line without its end; NULL: nothing there, or too long. */
static char *read_line(int fd)
{
    char buffer[PASSWORD_BYTES_MAX + 2];
    gsize length = 0;
    gboolean ended = FALSE;
    while (length < sizeof buffer) {
        ssize_t got = read(fd, buffer + length, 1);
        if (got < 0 && errno == EINTR)
            continue;
        ended = got <= 0 || buffer[length] == '\n';
        if (ended)
            break;
        length++;
    }
    if (ended && length > 0 && buffer[length - 1] == '\r')
        length--;
    char *line = ended && length <= PASSWORD_BYTES_MAX ? g_strndup(buffer, length) : NULL;
    explicit_bzero(buffer, sizeof buffer);
    return line;
}

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    interrupted = number;
}

static char *ask(int terminal, const char *question)
{
    struct termios before, quiet;
    struct sigaction action = {.sa_handler = on_signal}, old_int, old_term;
    if (tcgetattr(terminal, &before) != 0)
        return NULL;
    sigaction(SIGINT, &action, &old_int);
    sigaction(SIGTERM, &action, &old_term);
    quiet = before;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(terminal, TCSAFLUSH, &quiet);
    char *line = NULL;
    char buffer[PASSWORD_BYTES_MAX + 2];
    /* Only now, since what is typed before the flush is lost: a program that answers is quick. */
    ssize_t got = write(terminal, question, strlen(question)) < 0 ? -1 : read(terminal, buffer, sizeof buffer);
    if (got > 0 && buffer[got - 1] == '\n' && !interrupted)
        line = g_strndup(buffer, (gsize)got - 1);
    explicit_bzero(buffer, sizeof buffer);
    tcsetattr(terminal, TCSAFLUSH, &before);
    sigaction(SIGINT, &old_int, NULL);
    sigaction(SIGTERM, &old_term, NULL);
    if (write(terminal, "\n", 1) < 0)
        g_clear_pointer(&line, g_free);
    if (interrupted)
        raise(interrupted);
    return line;
}

static void scrub(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    g_free(text);
}

static char *ask_twice(int terminal, const char *user, CliError *error)
{
    g_autofree char *question = g_strdup_printf("New password for %s: ", user);
    char *first = ask(terminal, question);
    char *second = first ? ask(terminal, "Again: ") : NULL;
    gboolean same = first && second && strcmp(first, second) == 0;
    if (!first || !second)
        cli_error_set(error, "usage", NULL, "No password was typed.");
    else if (!same)
        cli_error_set(error, "usage", NULL, "The two passwords differ.");
    scrub(second);
    if (same)
        return first;
    scrub(first);
    return NULL;
}

char *cli_password(gboolean from_stdin, const char *user, CliError *error)
{
    char *password = NULL;
    if (from_stdin) {
        password = read_line(STDIN_FILENO);
        if (!password)
            cli_error_set(error, "usage", NULL, "The password on stdin is longer than %d bytes.",
                          PASSWORD_BYTES_MAX);
    } else {
        int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
        if (terminal < 0) {
            cli_error_set(error, "usage", NULL,
                          "There is no terminal to ask for the password: use --password-stdin.");
            return NULL;
        }
        password = ask_twice(terminal, user, error);
        close(terminal);
    }
    if (password && !*password) {
        cli_error_set(error, "usage", NULL, "The password is empty.");
        g_clear_pointer(&password, g_free);
    }
    if (password && !g_utf8_validate(password, -1, NULL)) {
        cli_error_set(error, "usage", NULL, "The password is not UTF-8 text.");
        scrub(password);
        password = NULL;
    }
    return password;
}
