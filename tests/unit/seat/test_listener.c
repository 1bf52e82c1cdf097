/* What a guest's screen modes do. QEMU's calls are made by hand; the file under test is compiled in, since
 * nobody else sees its insides. */
#include "session/seat/qemu_listener.c"
#include "tests/unit/suite.h"

static QemuDisplay display;
static guint announced, warnings;

void qemu_display_post(QemuDisplay *d, void (*function)(QemuDisplay *, const char *, guint), const char *text,
                       guint number)
{
    announced++;
}

void qemu_display_tell_changed(QemuDisplay *d, const char *text, guint number)
{
}

void qemu_display_lose(QemuDisplay *d, const char *text)
{
}

GSocketConnection *qemu_display_stream(int fd)
{
    return NULL;
}

void log_write(LogLevel level, const char *format, ...)
{
    warnings += level == LOG_LEVEL_WARNING;
}

static void scanout(guint width, guint height, guint given)
{
    g_autofree guint8 *pixels = g_malloc(given);
    memset(pixels, 0x55, given);
    g_autoptr(GVariant) bytes =
        g_variant_ref_sink(g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, pixels, given, 1));
    g_autoptr(GVariant) arguments = g_variant_ref_sink(
        g_variant_new("(uuuu@ay)", width, height, width * 4, (guint)PIXMAN_x8r8g8b8, bytes));
    take_scanout(&display, arguments);
}

static guint32 pixel(void)
{
    return *(const guint32 *)(gconstpointer)display.surface->pixels & 0xffffff;
}

static void setup(void)
{
    display = (QemuDisplay){0};
    announced = warnings = 0;
    g_mutex_init(&display.lock);
    scanout(640, 480, 640 * 480 * 4);
    ck_assert_uint_eq(display.surface->width, 640);
    ck_assert_uint_eq(pixel(), 0x555555);
}

static void teardown(void)
{
    g_clear_pointer(&display.surface, surface_unref);
    g_clear_pointer(&display.damage, damage_free);
}

START_TEST(a_mode_that_is_too_large_is_said_instead_of_the_old_picture)
{
    scanout(20000, 20000, 4);
    ck_assert_uint_eq(display.surface->width, NOTICE_WIDTH);
    ck_assert_uint_ne(pixel(), 0x555555);
    ck_assert_uint_eq(warnings, 1);
    scanout(640, 480, 640 * 480 * 4);
    ck_assert_uint_eq(display.surface->width, 640);
    ck_assert_uint_eq(pixel(), 0x555555);
}
END_TEST

START_TEST(a_guest_that_asks_for_such_modes_all_the_time_fills_no_log)
{
    for (guint i = 0; i < 10; i++)
        scanout(20000 + i % 2, 20000, 4);
    ck_assert_uint_eq(warnings, 1);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("listener");
    tcase_set_timeout(cases, 60); /* slow machines */
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, a_mode_that_is_too_large_is_said_instead_of_the_old_picture);
    tcase_add_test(cases, a_guest_that_asks_for_such_modes_all_the_time_fills_no_log);
    return suite_run("listener", cases);
}
