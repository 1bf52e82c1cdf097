/* Every screen of the greeter fits every size, and a click finds what is drawn there. */
#include "session/greeter/layout.h"
#include "tests/unit/suite.h"

#include <string.h>

static const guint sizes[][3] = {{800, 600, 0},     {640, 480, 0},   {1024, 768, 100},  {1920, 1080, 0},
                                 {1920, 1080, 200}, {3840, 2160, 0}, {3840, 2160, 300}, {8192, 8192, 1000},
                                 {360, 640, 100},   {64, 64, 0},     {8192, 64, 400}};
static const FormScreen screens[] = {SCREEN_WAIT,     SCREEN_LOGIN,  SCREEN_CHOICE, SCREEN_NONE,
                                     SCREEN_PROGRESS, SCREEN_FAILED, SCREEN_OFF};

static void fill(Form *form, FormScreen screen, guint desktops)
{
    form_init(form);
    g_array_set_size(form->desktops, desktops);
    form->screen = screen;
    if (screen == SCREEN_FAILED)
        memset(form->text, 'x', sizeof form->text - 1);
}

static void check_inside(const Area *area, guint width, guint height)
{
    if (area->width <= 0)
        return;
    ck_assert_double_ge(area->x, 0);
    ck_assert_double_ge(area->y, 0);
    ck_assert_double_le(area->x + area->width, width);
    ck_assert_double_le(area->y + area->height, height + 1);
}

START_TEST(everything_stands_inside_of_the_screen)
{
    for (guint s = 0; s < G_N_ELEMENTS(screens); s++) {
        Form form;
        Layout layout;
        fill(&form, screens[s], 40);
        layout_compute(&layout, &form, sizes[_i][0], sizes[_i][1], sizes[_i][2], 0);
        const Area *all[] = {&layout.brand,    &layout.card,   &layout.title, &layout.user,
                             &layout.password, &layout.submit, &layout.back,  &layout.spinner};
        for (guint i = 0; i < G_N_ELEMENTS(all); i++)
            check_inside(all[i], sizes[_i][0], sizes[_i][1]);
        for (guint i = 0; i < layout.row_count; i++)
            check_inside(&layout.rows[i], sizes[_i][0], sizes[_i][1]);
        form_clear(&form);
    }
}
END_TEST

START_TEST(a_screen_of_4k_is_drawn_larger_and_the_clients_scale_is_followed)
{
    Form form;
    Layout small, large, scaled;
    fill(&form, SCREEN_LOGIN, 0);
    layout_compute(&small, &form, 800, 600, 0, 0);
    layout_compute(&large, &form, 3840, 2160, 0, 0);
    layout_compute(&scaled, &form, 1920, 1080, 175, 0);
    ck_assert_double_eq_tol(small.scale, 1, 0.01);
    ck_assert_double_ge(large.scale, 2);
    ck_assert_double_eq_tol(scaled.scale, 1.75, 0.01);
    form_clear(&form);
}
END_TEST

START_TEST(a_click_finds_what_is_drawn_there)
{
    Form form;
    Layout layout;
    guint row;
    fill(&form, SCREEN_LOGIN, 0);
    layout_compute(&layout, &form, 800, 600, 0, 0);
    ck_assert_int_eq(layout_hit(&layout, &form, (gint)layout.user.x + 3, (gint)layout.user.y + 3, &row),
                     ELEMENT_USER);
    ck_assert_int_eq(
        layout_hit(&layout, &form, (gint)layout.password.x + 3, (gint)layout.password.y + 3, &row),
        ELEMENT_PASSWORD);
    ck_assert_int_eq(layout_hit(&layout, &form, (gint)layout.submit.x + 3, (gint)layout.submit.y + 3, &row),
                     ELEMENT_SUBMIT);
    ck_assert_int_eq(layout_hit(&layout, &form, 1, 1, &row), ELEMENT_NONE);
    form_clear(&form);
}
END_TEST

START_TEST(the_selected_desktop_is_always_visible)
{
    Form form;
    Layout layout;
    guint row;
    fill(&form, SCREEN_CHOICE, 40);
    for (form.selected = 0; form.selected < 40; form.selected++) {
        layout_compute(&layout, &form, 800, 600, 0, 0);
        ck_assert_uint_le(layout.first_row, form.selected);
        ck_assert_uint_lt(form.selected, layout.first_row + layout.row_count);
        const Area *last = &layout.rows[layout.row_count - 1];
        ck_assert_int_eq(layout_hit(&layout, &form, (gint)last->x + 5, (gint)last->y + 5, &row), ELEMENT_ROW);
        ck_assert_uint_eq(row, layout.first_row + layout.row_count - 1);
    }
    form_clear(&form);
}
END_TEST

START_TEST(a_message_under_the_login_does_not_move_the_fields)
{
    Form form;
    Layout before, after;
    fill(&form, SCREEN_LOGIN, 0);
    layout_compute(&before, &form, 1920, 1080, 0, 0);
    g_strlcpy(form.text, "Name or password is wrong.", sizeof form.text);
    layout_compute(&after, &form, 1920, 1080, 0, 0);
    ck_assert_double_eq(before.user.y, after.user.y);
    ck_assert_double_gt(after.card.height, before.card.height);
    form_clear(&form);
}
END_TEST

static void check_clamp(guint width, guint height, guint to_width, guint to_height)
{
    layout_clamp(&width, &height);
    ck_assert_uint_eq(width, to_width);
    ck_assert_uint_eq(height, to_height);
}

START_TEST(an_enormous_window_gets_a_smaller_picture_of_its_shape)
{
    check_clamp(1920, 1080, 1920, 1080);
    check_clamp(3840, 2160, 3840, 2160);
    check_clamp(2160, 3840, 2160, 3840);
    check_clamp(5120, 1440, 5120, 1440);
    check_clamp(8192, 8192, 3072, 3072);
    check_clamp(8192, 64, 5120, 64);
    check_clamp(1, 1, 64, 64);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("greeter layout");
    tcase_add_loop_test(cases, everything_stands_inside_of_the_screen, 0, G_N_ELEMENTS(sizes));
    tcase_add_test(cases, a_screen_of_4k_is_drawn_larger_and_the_clients_scale_is_followed);
    tcase_add_test(cases, a_click_finds_what_is_drawn_there);
    tcase_add_test(cases, the_selected_desktop_is_always_visible);
    tcase_add_test(cases, a_message_under_the_login_does_not_move_the_fields);
    tcase_add_test(cases, an_enormous_window_gets_a_smaller_picture_of_its_shape);
    return suite_run("greeter layout", cases);
}
