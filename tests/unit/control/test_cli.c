/* The real command against a real server: shapes, fields, exit codes. */
#include "tests/unit/control/harness.h"
#include "tests/unit/suite.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *text(JsonObject *object, const char *name)
{
    return json_object_get_string_member(object, name);
}

static void expect_fields(JsonObject *object, const char *names)
{
    g_auto(GStrv) all = g_strsplit(names, " ", -1);
    for (char **name = all; *name; name++)
        ck_assert_msg(json_object_has_member(object, *name), "no %s", *name);
}

static JsonObject *only(JsonNode *node)
{
    ck_assert(JSON_NODE_HOLDS_ARRAY(node));
    ck_assert_uint_eq(json_array_get_length(json_node_get_array(node)), 1);
    return json_array_get_object_element(json_node_get_array(node), 0);
}

START_TEST(a_user_is_made_listed_shown_and_removed)
{
    JsonObject *user = cli_object(0, "secret\n", "user", "add", "alice", "--password-stdin", NULL);
    ck_assert_str_eq(text(user, "name"), "alice");
    ck_assert(!json_object_get_boolean_member(user, "admin"));
    ck_assert(!json_object_get_boolean_member(user, "disabled"));
    expect_fields(only(cli_json(0, NULL, "user", "list", NULL)), "name admin disabled");
    ck_assert_str_eq(text(cli_object(0, NULL, "user", "show", "ALICE", NULL), "name"), "alice");
    cli_object(0, NULL, "user", "remove", "alice", NULL);
    ck_assert_str_eq(text(cli_object(3, NULL, "user", "show", "alice", NULL), "code"), "not-found");
}
END_TEST

START_TEST(an_admin_is_an_admin)
{
    JsonObject *user = cli_object(0, "secret", "user", "add", "--admin", "root2", "--password-stdin", NULL);
    ck_assert(json_object_get_boolean_member(user, "admin"));
}
END_TEST

START_TEST(the_password_of_stdin_is_the_password)
{
    cli_object(0, "söcret one\n", "user", "add", "alice", "--password-stdin", NULL);
    g_free(web_login("alice", "söcret one"));
    cli_object(0, "other\r\n", "user", "passwd", "alice", "--password-stdin", NULL);
    g_free(web_login("alice", "other"));
    web_call("session.login", NULL, "{\"username\":\"alice\",\"password\":\"söcret one\"}", "denied");
}
END_TEST

START_TEST(a_password_is_never_taken_from_the_command_line_and_without_a_terminal_it_is_a_usage_error)
{
    ck_assert_str_eq(text(cli_object(2, NULL, "user", "add", "alice", "--password", "x", NULL), "code"),
                     "usage");
    ck_assert_str_eq(text(cli_object(2, NULL, "user", "add", "alice", "--password=x", NULL), "code"),
                     "usage");
    ck_assert_str_eq(text(cli_object(2, "\n", "user", "add", "alice", "--password-stdin", NULL), "code"),
                     "usage");
    ck_assert_str_eq(text(cli_object(2, "", "user", "add", "alice", "--password-stdin", NULL), "code"),
                     "usage");
    g_autofree char *tooo_long = g_strnfill(300, 'x');
    ck_assert_str_eq(text(cli_object(2, tooo_long, "user", "add", "alice", "--password-stdin", NULL), "code"),
                     "usage");
    ck_assert_uint_eq(json_array_get_length(json_node_get_array(cli_json(0, NULL, "user", "list", NULL))), 0);
}
END_TEST

/* Runs `user add eve` at a terminal, types a line at each question; returns what the screen shows (caller
 * frees). */
static char *type_passwords(const char *first, const char *second, int *code)
{
    const char *lines[] = {first, second};
    g_autoptr(GString) screen = g_string_new(NULL);
    guint typed = 0;
    int terminal, status;
    pid_t pid = forkpty(&terminal, NULL, NULL, NULL);
    if (pid == 0) {
        execl(FERNWERK_CLI, FERNWERK_CLI, "--socket", harness.socket, "user", "add", "eve", NULL);
        _exit(127);
    }
    fcntl(terminal, F_SETFL, O_NONBLOCK);
    while (waitpid(pid, &status, WNOHANG) == 0) {
        char bytes[256];
        struct pollfd poller = {.fd = terminal, .events = POLLIN};
        poll(&poller, 1, 2);
        ssize_t got = read(terminal, bytes, sizeof bytes);
        if (got > 0)
            g_string_append_len(screen, bytes, got);
        if (typed < 2 && g_str_has_suffix(screen->str, typed == 0 ? "eve: " : "Again: "))
            ck_assert_int_gt(dprintf(terminal, "%s\n", lines[typed++]), 0);
        while (g_main_context_iteration(NULL, FALSE))
            continue;
    }
    close(terminal);
    *code = WEXITSTATUS(status);
    return g_strdup(screen->str);
}

START_TEST(at_a_terminal_the_password_is_asked_for_twice_and_not_shown)
{
    int code;
    g_autofree char *good = type_passwords("hush hush", "hush hush", &code);
    ck_assert_msg(code == 0, "%s", good);
    ck_assert_ptr_null(strstr(good, "hush"));
    g_free(web_login("eve", "hush hush"));
}
END_TEST

START_TEST(two_different_passwords_at_a_terminal_make_no_user)
{
    int code;
    g_autofree char *screen = type_passwords("hush hush", "hush", &code);
    ck_assert_msg(code == 2, "%s", screen);
    cli_object(3, NULL, "user", "show", "eve", NULL);
}
END_TEST

START_TEST(disabling_shows_and_enabling_too)
{
    make_user("alice", "secret", FALSE);
    ck_assert(
        json_object_get_boolean_member(cli_object(0, NULL, "user", "disable", "alice", NULL), "disabled"));
    ck_assert_str_eq(harness.last_user, "alice");
    web_call("session.login", NULL, "{\"username\":\"alice\",\"password\":\"secret\"}", "denied");
    ck_assert(
        !json_object_get_boolean_member(cli_object(0, NULL, "user", "enable", "alice", NULL), "disabled"));
    g_free(web_login("alice", "secret"));
}
END_TEST

START_TEST(a_second_user_of_that_name_is_a_conflict)
{
    make_user("alice", "secret", FALSE);
    JsonObject *error = cli_object(4, "secret", "user", "add", "Alice", "--password-stdin", NULL);
    ck_assert_str_eq(text(error, "code"), "conflict");
    expect_fields(error, "code message hint");
}
END_TEST

START_TEST(a_template_has_all_its_fields_and_presets)
{
    JsonObject *template = cli_object(0, NULL, "template", "add", "p", "--kind", "pattern", "--width=1920",
                                      "--height", "1080", "--xkb-layout", "de", NULL);
    expect_fields(template,
                  "name kind image kernel initrd cmdline firmware memory_mib vcpus width height xkb_layout "
                  "xkb_variant video");
    ck_assert_int_eq(json_object_get_int_member(template, "width"), 1920);
    ck_assert_int_eq(json_object_get_int_member(template, "memory_mib"), 2048);
    ck_assert_str_eq(text(template, "xkb_layout"), "de");
    ck_assert_str_eq(text(only(cli_json(0, NULL, "template", "list", NULL)), "name"), "p");
    cli_object(0, NULL, "template", "remove", "p", NULL);
    cli_object(3, NULL, "template", "show", "p", NULL);
}
END_TEST

START_TEST(a_template_that_cannot_work_is_refused_with_the_reason)
{
    JsonObject *error = cli_object(2, NULL, "template", "add", "t", "--image", "/does/not/exist.qcow2", NULL);
    ck_assert_ptr_nonnull(strstr(text(error, "message"), "/does/not/exist.qcow2"));
    error = cli_object(2, NULL, "template", "add", "t", "--image", "/etc/passwd", NULL);
    ck_assert_ptr_nonnull(strstr(text(error, "message"), "qcow2"));
    error =
        cli_object(2, NULL, "template", "add", "t", "--kind", "pattern", "--xkb-layout", "klingonese", NULL);
    ck_assert_ptr_nonnull(strstr(text(error, "message"), "klingonese"));
    cli_object(2, NULL, "template", "add", "t", "--kind", "pattern", "--vcpus", "0", NULL);
    cli_object(2, NULL, "template", "add", "t", "--kind", "pattern", "--memory-mib", "many", NULL);
}
END_TEST

START_TEST(a_desktop_goes_through_its_life)
{
    make_user("alice", "secret", FALSE);
    cli_object(0, NULL, "template", "add", "p", "--kind", "pattern", NULL);
    JsonObject *desktop = cli_object(0, NULL, "desktop", "create", "d1", "p", NULL);
    expect_fields(desktop, "name template state reason assigned user domain");
    ck_assert(json_object_get_null_member(desktop, "assigned"));
    ck_assert(json_object_get_null_member(desktop, "domain"));
    ck_assert_str_eq(text(desktop, "state"), "off");
    ck_assert_uint_eq(harness.added, 1);
    ck_assert_str_eq(text(cli_object(0, NULL, "assign", "d1", "alice", NULL), "assigned"), "alice");
    static const char *const acts[] = {"start", "stop", "restart", "reset"};
    for (guint i = 0; i < G_N_ELEMENTS(acts); i++) {
        ck_assert_str_eq(text(cli_object(0, NULL, "desktop", acts[i], "d1", NULL), "name"), "d1");
        ck_assert_int_eq(harness.last_power, (int)i);
    }
    cli_object(4, NULL, "desktop", "remove", "d1", NULL);
    ck_assert(json_object_get_null_member(cli_object(0, NULL, "unassign", "d1", NULL), "assigned"));
    cli_object(0, NULL, "desktop", "remove", "d1", NULL);
    ck_assert_uint_eq(harness.removed, 1);
    cli_object(3, NULL, "desktop", "show", "d1", NULL);
}
END_TEST

START_TEST(a_desktop_of_a_machine_template_gets_a_domain)
{
    g_autofree char *image = g_build_filename(harness.folder, "image.qcow2", NULL);
    char header[64] = "QFI\xfb\0\0\0\3";
    ck_assert(g_file_set_contents(image, header, sizeof header, NULL));
    cli_object(0, NULL, "template", "add", "t", "--image", image, NULL);
    ck_assert_str_eq(text(cli_object(0, NULL, "desktop", "create", "d1", "--template", "t", NULL), "domain"),
                     "fw-d1");
    cli_object(4, NULL, "desktop", "create", "D1", "t", NULL);
    cli_object(3, NULL, "desktop", "create", "d2", "nothing", NULL);
    cli_object(4, NULL, "template", "remove", "t", NULL);
}
END_TEST

START_TEST(a_desktop_whose_machine_cannot_be_made_is_not_left_behind)
{
    cli_object(0, NULL, "template", "add", "p", "--kind", "pattern", NULL);
    harness.answer = CONTROL_FAILED;
    ck_assert_str_eq(text(cli_object(1, NULL, "desktop", "create", "d1", "p", NULL), "message"),
                     "It did not work.");
    harness.answer = CONTROL_OK;
    cli_object(0, NULL, "desktop", "create", "d1", "p", NULL);
}
END_TEST

START_TEST(a_failed_desktop_says_why)
{
    make_desktop("d1");
    harness.state = DESKTOP_FAILED;
    JsonObject *desktop = cli_object(0, NULL, "desktop", "show", "d1", NULL);
    ck_assert_str_eq(text(desktop, "state"), "failed");
    ck_assert_str_eq(text(desktop, "reason"), "The image is missing.");
}
END_TEST

START_TEST(a_power_act_that_fails_is_told_and_audited)
{
    make_desktop("d1");
    harness.answer = CONTROL_FAILED;
    cli_object(1, NULL, "desktop", "start", "d1", NULL);
    harness.answer = CONTROL_OK;
    JsonNode *node = cli_json(0, NULL, "audit", "--limit", "1", NULL);
    expect_fields(only(node), "id time actor action object result");
    ck_assert_str_eq(text(only(node), "action"), "desktop.start");
    ck_assert_str_eq(text(only(node), "object"), "d1");
    ck_assert_str_eq(text(only(node), "result"), "failed: It did not work.");
    ck_assert_ptr_nonnull(strstr(text(only(node), "actor"), "uid:"));
}
END_TEST

START_TEST(sessions_are_listed_and_killed)
{
    make_user("alice", "secret", FALSE);
    make_desktop("d1");
    cli_object(0, NULL, "assign", "d1", "alice", NULL);
    StoreGrant grant = {
        .user = "alice", .desktop = "d1", .serial = 1, .protocol = "rdp", .address = "192.0.2.9"};
    store_lease_grant(harness.store, &grant, NULL, NULL);
    JsonObject *session = only(cli_json(0, NULL, "session", "list", NULL));
    expect_fields(session, "id user desktop protocol address since");
    g_autofree char *id = g_strdup_printf("%d", (int)json_object_get_int_member(session, "id"));
    ck_assert_str_eq(text(session, "protocol"), "rdp");
    ck_assert_str_eq(text(cli_object(0, NULL, "session", "kill", id, NULL), "user"), "alice");
    ck_assert_int_eq(harness.last_reason, END_KILLED);
    ck_assert_uint_eq(harness.last_connections, 1);
    cli_object(3, NULL, "session", "kill", id, NULL);
}
END_TEST

START_TEST(unassigning_a_connected_desktop_ends_the_session_first)
{
    make_user("alice", "secret", FALSE);
    make_desktop("d1");
    cli_object(0, NULL, "assign", "d1", "alice", NULL);
    StoreGrant grant = {
        .user = "alice", .desktop = "d1", .serial = 1, .protocol = "rdp", .address = "192.0.2.9"};
    store_lease_grant(harness.store, &grant, NULL, NULL);
    ck_assert(json_object_get_null_member(cli_object(0, NULL, "unassign", "d1", NULL), "user"));
    ck_assert_uint_eq(harness.revoked, 1);
    ck_assert_int_eq(harness.last_reason, END_REVOKED);
    ck_assert_uint_eq(json_array_get_length(json_node_get_array(cli_json(0, NULL, "session", "list", NULL))),
                      0);
    cli_object(0, NULL, "user", "remove", "alice", NULL);
}
END_TEST

START_TEST(encoders_and_status_are_told)
{
    JsonObject *encoder = only(cli_json(0, NULL, "encoder", "list", NULL));
    ck_assert_str_eq(text(encoder, "element"), "x264enc");
    ck_assert(json_object_get_boolean_member(encoder, "chosen"));
    JsonObject *status = cli_object(0, NULL, "status", NULL);
    expect_fields(status, "version instance libvirt virt processes");
    JsonObject *process = json_array_get_object_element(json_object_get_array_member(status, "processes"), 0);
    ck_assert_str_eq(text(process, "kind"), "rdp");
    ck_assert_int_eq(json_object_get_int_member(process, "pid"), 4711);
}
END_TEST

START_TEST(nonsense_is_a_usage_error)
{
    ck_assert_int_eq(cli_run(NULL, NULL)->code, 2);
    ck_assert_int_eq(cli_run(NULL, "nonsense", NULL)->code, 2);
    ck_assert_int_eq(cli_run(NULL, "user", NULL)->code, 2);
    ck_assert_int_eq(cli_run(NULL, "user", "dance", NULL)->code, 2);
    ck_assert_int_eq(cli_run(NULL, "user", "show", NULL)->code, 2);
    ck_assert_int_eq(cli_run(NULL, "user", "show", "a", "b", NULL)->code, 2);
    ck_assert_int_eq(cli_run(NULL, "user", "show", "../etc", NULL)->code, 2);
    ck_assert_int_eq(cli_run(NULL, "user", "show", "a", "--nothing", NULL)->code, 2);
    ck_assert_int_eq(cli_run(NULL, "session", "kill", "one", NULL)->code, 2);
    ck_assert_int_eq(cli_run(NULL, "user", "show", "\xff", NULL)->code, 2);
    const CliRun *run = cli_run(NULL, "user", "dance", NULL);
    ck_assert_str_eq(run->out, "");
    ck_assert_ptr_nonnull(strstr(run->err, "fernwerk user --help"));
}
END_TEST

START_TEST(errors_are_json_wherever_json_is_asked_for)
{
    const CliRun *run = cli_run(NULL, "user", "show", "nobody", "--json", NULL);
    ck_assert_int_eq(run->code, 3);
    ck_assert_str_eq(run->out, "");
    ck_assert_str_eq(run->err,
                     "{\"error\":{\"code\":\"not-found\",\"message\":\"There is no user nobody.\",\"hint\":"
                     "\"fernwerk user list\"}}\n");
    run = cli_run(NULL, "user", "--json", NULL);
    ck_assert_ptr_nonnull(strstr(run->err, "{\"error\""));
}
END_TEST

START_TEST(an_unreachable_broker_is_exit_code_6)
{
    g_autofree char *nowhere = g_build_filename(harness.folder, "nothing.sock", NULL);
    JsonObject *error = cli_object(6, NULL, "--socket", nowhere, "status", NULL);
    ck_assert_str_eq(text(error, "code"), "unreachable");
}
END_TEST

START_TEST(a_broker_that_does_not_come_up_is_exit_code_6_within_seconds)
{
    g_autofree char *path = g_build_filename(harness.folder, "mute.sock", NULL);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    gint64 begun = g_get_monotonic_time();
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(listen(listener, 5), 0);
    JsonObject *error = cli_object(6, NULL, "--socket", path, "status", NULL);
    ck_assert_str_eq(text(error, "code"), "unreachable");
    ck_assert_ptr_nonnull(strstr(text(error, "hint"), "log"));
    ck_assert_int_lt(g_get_monotonic_time() - begun, 60 * G_USEC_PER_SEC);
    close(listener);
    unlink(path);
}
END_TEST

START_TEST(people_get_aligned_tables_and_no_control_characters)
{
    make_user("alice", "secret", FALSE);
    make_user("bartholomew", "secret", TRUE);
    const CliRun *run = cli_run(NULL, "user", "list", NULL);
    ck_assert_str_eq(run->out, "NAME         ADMIN  DISABLED\n"
                               "alice        no     no\n"
                               "bartholomew  yes    no\n");
    store_audit_write(harness.store, "a\033[31mb", "x", "", "ok", "", NULL, NULL);
    run = cli_run(NULL, "audit", NULL);
    ck_assert_ptr_null(strchr(run->out, '\033'));
    ck_assert_ptr_nonnull(strstr(run->out, "a?[31mb"));
}
END_TEST

START_TEST(help_and_version_work_without_a_broker)
{
    g_autofree char *gone = g_strdup(harness.socket);
    unlink(gone);
    ck_assert_int_eq(cli_run(NULL, "--help", NULL)->code, 0);
    const CliRun *run = cli_run(NULL, "template", "add", "--help", NULL);
    ck_assert_int_eq(run->code, 0);
    ck_assert_ptr_nonnull(strstr(run->out, "--memory-mib N"));
    run = cli_run(NULL, "--version", NULL);
    ck_assert_int_eq(run->code, 0);
    ck_assert(g_str_has_prefix(run->out, "fernwerk "));
}
END_TEST

int main(void)
{
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, harness_setup, harness_teardown);
    tcase_set_timeout(all, 60);
    tcase_add_test(all, a_user_is_made_listed_shown_and_removed);
    tcase_add_test(all, an_admin_is_an_admin);
    tcase_add_test(all, the_password_of_stdin_is_the_password);
    tcase_add_test(
        all, a_password_is_never_taken_from_the_command_line_and_without_a_terminal_it_is_a_usage_error);
    tcase_add_test(all, at_a_terminal_the_password_is_asked_for_twice_and_not_shown);
    tcase_add_test(all, two_different_passwords_at_a_terminal_make_no_user);
    tcase_add_test(all, disabling_shows_and_enabling_too);
    tcase_add_test(all, a_second_user_of_that_name_is_a_conflict);
    tcase_add_test(all, a_template_has_all_its_fields_and_presets);
    tcase_add_test(all, a_template_that_cannot_work_is_refused_with_the_reason);
    tcase_add_test(all, a_desktop_goes_through_its_life);
    tcase_add_test(all, a_desktop_of_a_machine_template_gets_a_domain);
    tcase_add_test(all, a_desktop_whose_machine_cannot_be_made_is_not_left_behind);
    tcase_add_test(all, a_failed_desktop_says_why);
    tcase_add_test(all, a_power_act_that_fails_is_told_and_audited);
    tcase_add_test(all, sessions_are_listed_and_killed);
    tcase_add_test(all, unassigning_a_connected_desktop_ends_the_session_first);
    tcase_add_test(all, encoders_and_status_are_told);
    tcase_add_test(all, nonsense_is_a_usage_error);
    tcase_add_test(all, errors_are_json_wherever_json_is_asked_for);
    tcase_add_test(all, an_unreachable_broker_is_exit_code_6);
    tcase_add_test(all, a_broker_that_does_not_come_up_is_exit_code_6_within_seconds);
    tcase_add_test(all, people_get_aligned_tables_and_no_control_characters);
    tcase_add_test(all, help_and_version_work_without_a_broker);
    return suite_run("cli", all);
}
