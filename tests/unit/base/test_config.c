/* The configuration's parser, its errors, and that docs/configuration.md is the table's own description. */
#include "base/config.h"
#include "tests/unit/suite.h"

#include <glib/gstdio.h>
#include <string.h>

static Config *parse(const char *text, GError **error)
{
    return config_parse("test.conf", text, strlen(text), error);
}

static void expect_error(const char *text, const char *start)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Config) config = parse(text, &error);
    ck_assert_ptr_null(config);
    ck_assert_ptr_nonnull(error);
    ck_assert_msg(g_str_has_prefix(error->message, start), "\"%s\" does not start with \"%s\"",
                  error->message, start);
}

START_TEST(an_empty_file_gives_every_default)
{
    g_autoptr(Config) config = parse("", NULL);
    ck_assert_str_eq(config_string(config, "fernwerk.state_dir"), "/var/lib/fernwerk");
    ck_assert_str_eq(config_string(config, "listen.vnc"), "");
    ck_assert_int_eq(config_integer(config, "limits.login_s"), 30);
    g_autofree char *database = config_state_path(config, "broker.database", "fernwerk.db");
    ck_assert_str_eq(database, "/var/lib/fernwerk/fernwerk.db");
    gint64 first, last;
    config_range(config, "fernwerk.uid_range", &first, &last);
    ck_assert_int_eq(first, 1879048192);
    ck_assert_int_eq(last, 1879113727);
}
END_TEST

START_TEST(values_comments_and_spaces_are_understood)
{
    g_autoptr(Config) config =
        parse("# one\n; two\n\n [ limits ] \n  login_s=45 \r\nwarm_rdp =  0\n[listen]\n"
              "rdp = 127.0.0.1:13389, [::1]:13389",
              NULL);
    ck_assert_ptr_nonnull(config);
    ck_assert_int_eq(config_integer(config, "limits.login_s"), 45);
    ck_assert_int_eq(config_integer(config, "limits.warm_rdp"), 0);
    g_autoptr(GPtrArray) list = config_endpoints(config_string(config, "listen.rdp"), NULL);
    ck_assert_uint_eq(list->len, 2);
    const Endpoint *second = list->pdata[1];
    ck_assert_str_eq(second->host, "::1");
    ck_assert_uint_eq(second->port, 13389);
}
END_TEST

START_TEST(an_error_names_file_and_line)
{
    expect_error("[fernwerk]\n\nstat_dir = /x\n", "test.conf:3: unknown key stat_dir in section [fernwerk]");
    expect_error("[nonsense]\n", "test.conf:1: unknown section [nonsense]");
    expect_error("[limits\n", "test.conf:1: ");
    expect_error("login_s = 30\n", "test.conf:1: login_s stands before the first [section]");
    expect_error("[limits]\nlogin_s\n", "test.conf:2: expected ");
    expect_error("[limits]\nlogin_s = 4\n",
                 "test.conf:2: login_s must be a number from 5 to 3600, not \"4\"");
    expect_error("[limits]\nlogin_s = 30x\n", "test.conf:2: ");
    expect_error("[libvirt]\nvirt = xen\n", "test.conf:2: virt must be one of auto|kvm|tcg");
    expect_error("[fernwerk]\nstate_dir = var\n", "test.conf:2: state_dir must be an absolute path");
    expect_error("[fernwerk]\nuid_range = 5000-4000\n", "test.conf:2: uid_range must be");
    expect_error("[fernwerk]\nuid_range = 0-4000\n", "test.conf:2: uid_range must be");
    expect_error("[fernwerk]\ninstance_uuid = 1\n", "test.conf:2: instance_uuid must be a UUID");
    expect_error("[fernwerk]\nbroker_user = a b\n", "test.conf:2: broker_user must be");
    expect_error("[listen]\nrdp = localhost:1\n", "test.conf:2: rdp must be a list of address:port");
    expect_error("[listen]\nrdp = ::1:3389\n", "test.conf:2: ");
    expect_error("[listen]\nrdp = [::1]\n", "test.conf:2: ");
    expect_error("[listen]\nrdp = 1.2.3.4:65536\n", "test.conf:2: ");
    expect_error("[limits]\nlogin_s = 3\xff\n", "test.conf:2: is not UTF-8 text");
}
END_TEST

START_TEST(groups_are_words_and_a_long_list_that_is_wrong_at_its_end_is_refused)
{
    g_autofree char *words = g_strnfill(40000, 'a');
    g_autofree char *wrong = g_strdup_printf("[fernwerk]\nbroker_groups = %s;\n", words);
    g_autoptr(Config) config = parse("[fernwerk]\nbroker_groups = libvirt, kvm 12 \nseat_groups =\n", NULL);
    ck_assert_ptr_nonnull(config);
    expect_error("[fernwerk]\nbroker_groups = a;b\n", "test.conf:2: broker_groups must be names or numbers");
    expect_error(wrong, "test.conf:2: broker_groups must be names or numbers");
}
END_TEST

START_TEST(a_file_over_64_kib_is_refused)
{
    g_autofree char *text = g_strnfill(65537, '\n');
    expect_error(text, "test.conf:1: larger than 65536 bytes");
}
END_TEST

START_TEST(files_in_conf_d_win_in_the_order_of_their_names)
{
    g_autofree char *dir = g_dir_make_tmp("config-XXXXXX", NULL);
    g_autofree char *parts = g_build_filename(dir, "conf.d", NULL);
    g_autofree char *main_file = g_build_filename(dir, "fernwerk.conf", NULL);
    g_autofree char *b = g_build_filename(parts, "b.conf", NULL),
                    *a = g_build_filename(parts, "a.conf", NULL);
    g_autofree char *other = g_build_filename(parts, "c.conf.bak", NULL);
    g_autoptr(GError) error = NULL;
    g_mkdir(parts, 0700);
    g_file_set_contents(main_file, "[limits]\nlogin_s = 10\nwarm_vnc = 7\n", -1, NULL);
    g_file_set_contents(b, "[limits]\nlogin_s = 12\n", -1, NULL);
    g_file_set_contents(a, "[limits]\nlogin_s = 11\n", -1, NULL);
    g_file_set_contents(other, "garbage", -1, NULL);
    g_autoptr(Config) config = config_load(main_file, &error);
    ck_assert_ptr_nonnull(config);
    ck_assert_int_eq(config_integer(config, "limits.login_s"), 12);
    ck_assert_int_eq(config_integer(config, "limits.warm_vnc"), 7);
    g_file_set_contents(a, "[limits]\nlogin_s = x\n", -1, NULL);
    ck_assert_ptr_null(config_load(main_file, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "/conf.d/a.conf:2: "));
    g_unlink(a), g_unlink(b), g_unlink(other), g_unlink(main_file), g_rmdir(parts), g_rmdir(dir);
}
END_TEST

START_TEST(a_missing_file_is_an_error_that_names_it)
{
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(config_load("/nonexistent/fernwerk.conf", &error));
    ck_assert(g_str_has_prefix(error->message, "/nonexistent/fernwerk.conf: "));
}
END_TEST

START_TEST(the_described_default_file_parses_with_every_key_uncommented)
{
    g_autofree char *text = config_describe(FALSE);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autoptr(GString) all = g_string_new(NULL);
    guint keys = 0;
    for (guint i = 0; lines[i]; i++) {
        gboolean key = lines[i][0] == '#' && g_ascii_islower(lines[i][1]);
        keys += key;
        g_string_append_printf(all, "%s\n", lines[i] + key);
    }
    g_autoptr(GError) error = NULL;
    g_autoptr(Config) config = parse(all->str, &error);
    ck_assert_msg(config != NULL, "%s", error ? error->message : "");
    ck_assert_uint_gt(keys, 30);
}
END_TEST

START_TEST(docs_configuration_md_is_what_the_table_says)
{
    g_autofree char *expected = config_describe(TRUE), *found = NULL;
    ck_assert(g_file_get_contents(DOCS_DIR "/configuration.md", &found, NULL, NULL));
    ck_assert_msg(
        strcmp(expected, found) == 0,
        "docs/configuration.md is old: fernwerkd --describe-config=markdown > docs/configuration.md");
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("config");
    tcase_add_test(cases, an_empty_file_gives_every_default);
    tcase_add_test(cases, values_comments_and_spaces_are_understood);
    tcase_add_test(cases, an_error_names_file_and_line);
    tcase_add_test(cases, groups_are_words_and_a_long_list_that_is_wrong_at_its_end_is_refused);
    tcase_add_test(cases, a_file_over_64_kib_is_refused);
    tcase_add_test(cases, files_in_conf_d_win_in_the_order_of_their_names);
    tcase_add_test(cases, a_missing_file_is_an_error_that_names_it);
    tcase_add_test(cases, the_described_default_file_parses_with_every_key_uncommented);
    tcase_add_test(cases, docs_configuration_md_is_what_the_table_says);
    return suite_run("config", cases);
}
