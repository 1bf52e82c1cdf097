/* The encoders' verdicts: heard from a probe once, kept, and chosen from. */
#include "broker/desktop/encoders.h"
#include "fakes.h"
#include "tests/unit/suite.h"

#include <string.h>
#include <unistd.h>

static char *folder;
static Config *config;
static FakeMaster *master;
static MasterClient *client;
static Encoders *encoders;
static guint known;

static void on_known(Encoders *set, gpointer data)
{
    known++;
}

static void on_process(const MasterProcess *process, int fd, gpointer data)
{
    ck_assert(encoders_take(encoders, process, fd));
}

static void on_arrival(const MasterArrival *arrival, gpointer data)
{
}

static void on_gone(const MasterProcessGone *gone, gpointer data)
{
    encoders_gone(encoders, gone->id);
}

static void on_living_end(gpointer data)
{
}

static void configure(const char *lines)
{
    g_autofree char *text = g_strdup_printf("[fernwerk]\nstate_dir = %s\n%s", folder, lines);
    g_clear_pointer(&encoders, encoders_free);
    g_clear_pointer(&config, config_free);
    config = config_parse("test", text, strlen(text), NULL);
    ck_assert_ptr_nonnull(config);
    encoders = encoders_new(client, config, on_known, NULL);
    known = 0;
}

static void set_up(void)
{
    static const MasterEvents events = {on_process, on_arrival, on_gone, on_living_end};
    folder = g_dir_make_tmp("encoders-XXXXXX", NULL);
    master = fake_master_new();
    client = master_client_new(master->broker_end, &events, NULL);
    configure("");
}

static void tear_down(void)
{
    g_autofree char *command = g_strdup_printf("rm -r %s", folder);
    encoders_free(encoders);
    master_client_free(client);
    fake_master_free(master);
    config_free(config);
    ck_assert(g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL));
    g_free(folder);
}

static void say(const char *element, gboolean hardware, gboolean usable)
{
    EncoderVerdict verdict = {.header = {.type = SEAT_CONTROL_VERDICT, .size = sizeof verdict},
                              .usable = usable,
                              .hardware = hardware};
    g_strlcpy(verdict.element, element, sizeof verdict.element);
    g_strlcpy(verdict.reason, usable ? "works" : "does not", sizeof verdict.reason);
    packet_send(fake_master_newest(master, KIND_PROBE)->link, &verdict, sizeof verdict, NULL, 0);
}

static void say_all(gboolean hardware_works)
{
    SeatControlHeader end = {.type = SEAT_CONTROL_VERDICTS_END, .size = sizeof end};
    say("vah264enc", TRUE, hardware_works);
    say("openh264enc", FALSE, TRUE);
    say("x264enc", FALSE, TRUE);
    packet_send(fake_master_newest(master, KIND_PROBE)->link, &end, sizeof end, NULL, 0);
    spin();
}

START_TEST(verdicts_are_heard_once_and_then_read_from_the_file)
{
    encoders_begin(encoders);
    spin();
    say_all(TRUE);
    ck_assert_uint_eq(known, 1);
    ck_assert_str_eq(encoders_hardware(encoders), "vah264enc");
    ck_assert_str_eq(encoders_software(encoders), "x264enc");
    configure("");
    encoders_begin(encoders);
    spin();
    ck_assert_uint_eq(known, 1);
    ck_assert_uint_eq(master->spawns, 1);
    ck_assert_str_eq(encoders_hardware(encoders), "vah264enc");
    ck_assert_uint_eq(encoders_verdicts(encoders)->len, 3);
    ck_assert_str_eq(g_array_index(encoders_verdicts(encoders), EncoderVerdict, 0).reason, "works");
}
END_TEST

START_TEST(without_hardware_the_configured_software_encoder_is_chosen)
{
    configure("[encoder]\nsoftware = x264enc\n");
    encoders_begin(encoders);
    spin();
    say_all(FALSE);
    ck_assert_str_eq(encoders_hardware(encoders), "");
    ck_assert_uint_eq(g_array_index(encoders_verdicts(encoders), EncoderVerdict, 1).chosen, 0);
    ck_assert_uint_eq(g_array_index(encoders_verdicts(encoders), EncoderVerdict, 2).chosen, 1);
}
END_TEST

START_TEST(the_configured_candidates_decide_the_order)
{
    configure("[encoder]\ncandidates = openh264enc x264enc\n");
    encoders_begin(encoders);
    spin();
    say_all(TRUE);
    ck_assert_str_eq(encoders_hardware(encoders), "");
    ck_assert_uint_eq(g_array_index(encoders_verdicts(encoders), EncoderVerdict, 1).chosen, 1);
}
END_TEST

START_TEST(a_probe_that_dies_is_followed_by_one_more_and_no_third)
{
    encoders_begin(encoders);
    for (guint i = 0; i < 4; i++) {
        spin();
        FakeProcess *probe = fake_master_newest(master, KIND_PROBE);
        if (!probe)
            break;
        fake_master_die(master, probe);
    }
    ck_assert_uint_eq(master->spawns, 2);
    ck_assert_uint_eq(known, 0);
}
END_TEST

START_TEST(a_damaged_file_leads_to_a_new_proof)
{
    g_autofree char *path = g_build_filename(folder, "encoders", NULL);
    ck_assert(g_file_set_contents(path, "[verdicts]\nkey=x\ncount=99999\n", -1, NULL));
    encoders_begin(encoders);
    spin();
    ck_assert_uint_eq(master->spawns, 1);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("encoder_verdicts");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, verdicts_are_heard_once_and_then_read_from_the_file);
    tcase_add_test(tcase, without_hardware_the_configured_software_encoder_is_chosen);
    tcase_add_test(tcase, the_configured_candidates_decide_the_order);
    tcase_add_test(tcase, a_probe_that_dies_is_followed_by_one_more_and_no_third);
    tcase_add_test(tcase, a_damaged_file_leads_to_a_new_proof);
    return suite_run("encoder_verdicts", tcase);
}
