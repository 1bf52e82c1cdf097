/* A template that cannot work is refused when it is made, not when its first user waits. */
#include "base/proto/recording.h"
#include "broker/control/control_internal.h"
#include "tests/unit/suite.h"

#include <glib/gstdio.h>
#include <string.h>

static char *folder, *image, *text_file, *recording;

static void setup(void)
{
    char header[64] = "QFI\xfb\0\0\0\3";
    folder = g_dir_make_tmp("fernwerk-template-XXXXXX", NULL);
    image = g_build_filename(folder, "image.qcow2", NULL);
    text_file = g_build_filename(folder, "text", NULL);
    recording = g_build_filename(folder, "film.rec", NULL);
    ck_assert(g_file_set_contents(recording, RECORDING_MAGIC, sizeof RECORDING_MAGIC - 1, NULL));
    ck_assert(g_file_set_contents(image, header, sizeof header, NULL));
    ck_assert(g_file_set_contents(text_file, "text", -1, NULL));
}

static void teardown(void)
{
    g_unlink(image);
    g_unlink(text_file);
    g_unlink(recording);
    g_free(recording);
    g_rmdir(folder);
    g_free(image);
    g_free(text_file);
    g_free(folder);
}

static StoreTemplate fine(void)
{
    return (StoreTemplate){.name = (char *)"t",
                           .kind = (char *)"vm",
                           .image = image,
                           .kernel = (char *)"",
                           .initrd = (char *)"",
                           .cmdline = (char *)"",
                           .firmware = (char *)"bios",
                           .video = (char *)"virtio",
                           .xkb_layout = (char *)"us",
                           .xkb_variant = (char *)"",
                           .memory_mib = 512,
                           .vcpus = 1,
                           .width = 800,
                           .height = 600};
}

static void expect(const StoreTemplate *template, const char *words)
{
    g_autofree char *problem = control_template_problem(template);
    ck_assert_msg(words ? problem && strstr(problem, words) : !problem, "%s",
                  problem ? problem : "nothing wrong");
}

START_TEST(a_good_template_passes)
{
    StoreTemplate template = fine();
    expect(&template, NULL);
    template.image = (char *)"";
    template.kernel = text_file;
    template.initrd = text_file;
    template.cmdline = (char *)"console=ttyS0";
    expect(&template, NULL);
    template = fine();
    template.xkb_layout = (char *)"de";
    template.xkb_variant = (char *)"nodeadkeys";
    expect(&template, NULL);
}
END_TEST

START_TEST(a_missing_image_is_told_by_its_path)
{
    StoreTemplate template = fine();
    template.image = (char *)"/no/such/image";
    expect(&template, "/no/such/image");
}
END_TEST

START_TEST(an_image_of_another_kind_is_refused)
{
    StoreTemplate template = fine();
    template.image = text_file;
    expect(&template, "no qcow2");
    template.image = folder;
    expect(&template, "no ordinary file");
    template.image = (char *)"/dev/zero";
    expect(&template, "no ordinary file");
}
END_TEST

START_TEST(a_missing_kernel_or_initrd_is_refused)
{
    StoreTemplate template = fine();
    template.kernel = (char *)"/no/such/kernel";
    expect(&template, "kernel /no/such/kernel");
    template.kernel = text_file;
    template.initrd = (char *)"/no/such/initrd";
    expect(&template, "initrd /no/such/initrd");
    template.kernel = (char *)"";
    template.initrd = text_file;
    expect(&template, "need a kernel");
}
END_TEST

START_TEST(a_keyboard_layout_that_does_not_exist_is_refused)
{
    StoreTemplate template = fine();
    template.xkb_layout = (char *)"nowhere";
    expect(&template, "no keyboard layout nowhere");
    template.xkb_layout = (char *)"de";
    template.xkb_variant = (char *)"nonsense";
    expect(&template, "de (nonsense)");
    template.xkb_layout = (char *)"../us";
    expect(&template, "no layout");
}
END_TEST

START_TEST(the_image_of_a_pattern_is_a_recording)
{
    StoreTemplate template = fine();
    template.kind = (char *)"pattern";
    template.image = recording;
    expect(&template, NULL);
    template.image = image;
    expect(&template, "is a recording");
    template.image = (char *)"/no/such/recording";
    expect(&template, "/no/such/recording");
    template.kind = (char *)"vm";
    template.image = recording;
    expect(&template, "no qcow2");
}
END_TEST

START_TEST(a_pattern_boots_nothing_and_a_machine_needs_something_to_boot)
{
    StoreTemplate template = fine();
    template.kind = (char *)"pattern";
    template.kernel = text_file;
    expect(&template, "pattern");
    template.kernel = (char *)"";
    template.image = (char *)"";
    expect(&template, NULL);
    template.kind = (char *)"vm";
    expect(&template, "needs an image");
}
END_TEST

int main(void)
{
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, a_good_template_passes);
    tcase_add_test(all, a_missing_image_is_told_by_its_path);
    tcase_add_test(all, an_image_of_another_kind_is_refused);
    tcase_add_test(all, a_missing_kernel_or_initrd_is_refused);
    tcase_add_test(all, a_keyboard_layout_that_does_not_exist_is_refused);
    tcase_add_test(all, the_image_of_a_pattern_is_a_recording);
    tcase_add_test(all, a_pattern_boots_nothing_and_a_machine_needs_something_to_boot);
    return suite_run("template_check", all);
}
