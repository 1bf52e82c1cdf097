/* Input as calls to QEMU, against a display that does not answer. */
#include "session/seat/input_qemu.h"
#include "tests/unit/suite.h"

#include <string.h>

static GPtrArray *calls; /* of strings */
static void (*answer)(gpointer data);

/* Stands in for the display's own. */
gboolean qemu_display_call(QemuDisplay *display, const char *interface, const char *method,
                           GVariant *arguments, void (*done)(gpointer data), gpointer data)
{
    g_autoptr(GVariant) owned = g_variant_ref_sink(arguments);
    g_autofree char *text = g_variant_print(owned, FALSE);
    answer = done;
    g_ptr_array_add(calls, g_strdup_printf("%s%s", method, text));
    return TRUE;
}

static const char *call(gint from_the_end)
{
    return g_ptr_array_index(calls, (gint)calls->len - from_the_end);
}

START_TEST(a_click_is_where_the_pointer_is_even_when_qemu_is_slow)
{
    calls = g_ptr_array_new_with_free_func(g_free);
    QemuInput *input = qemu_input_new((QemuDisplay *)&calls);
    SeatPointer pointer = {0};
    for (gint x = 1; x <= 100; x++) {
        pointer.x = x;
        qemu_input_pointer(input, &pointer);
    }
    guint before = calls->len;
    ck_assert_uint_lt(before, 40); /* moves merge */
    pointer.buttons = SEAT_BUTTON_LEFT;
    qemu_input_pointer(input, &pointer);
    ck_assert_str_eq(call(2), "SetAbsPosition(100, 0)");
    ck_assert_str_eq(call(1), "Press(0,)");
    pointer.buttons = 0;
    qemu_input_pointer(input, &pointer);
    ck_assert_str_eq(call(1), "Release(0,)");
    ck_assert_uint_eq(calls->len, before + 3);
    qemu_input_free(input);
    for (guint i = 0; i < calls->len; i++)
        answer(input);
    g_ptr_array_unref(calls);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("input to QEMU");
    tcase_set_timeout(cases, 60); /* slow machines */
    tcase_add_test(cases, a_click_is_where_the_pointer_is_even_when_qemu_is_slow);
    return suite_run("input to QEMU", cases);
}
