/* Keys of the client's layout, through libxkbcommon. */
#include "session/greeter/keyboard.h"

#include "base/log.h"
#include "session/seat/keycodes.h"

#include <string.h>
#include <xkbcommon/xkbcommon-compose.h>
#include <xkbcommon/xkbcommon-keysyms.h>

#define REPEAT_US 30000 /* nobody lets go of a key and presses it again so fast */
#define EVDEV_OFFSET 8  /* XKB's key codes against evdev's */

struct Keyboard {
    struct xkb_context *context;
    struct xkb_keymap *keymap;
    struct xkb_state *state;
    struct xkb_compose_table *table;
    struct xkb_compose_state *compose;
    gboolean shift, control, alt; /* held as keysyms, by clients that send those */
    gboolean keysym_caps;
    guint32 last; /* key that was pressed last */
    gboolean last_down;
    gint64 last_up_us;
};

static gboolean load(Keyboard *keyboard, const char *layout, const char *variant)
{
    struct xkb_rule_names names = {.rules = "evdev", .model = "pc105", .layout = layout, .variant = variant};
    struct xkb_keymap *keymap =
        xkb_keymap_new_from_names(keyboard->context, &names, XKB_KEYMAP_COMPILE_NO_FLAGS);
    if (!keymap)
        return FALSE;
    if (keyboard->state) {
        xkb_state_unref(keyboard->state);
        xkb_keymap_unref(keyboard->keymap);
    }
    keyboard->keymap = keymap;
    keyboard->state = xkb_state_new(keymap);
    return TRUE;
}

Keyboard *keyboard_new(void)
{
    Keyboard *keyboard = g_new0(Keyboard, 1);
    keyboard->context = xkb_context_new(XKB_CONTEXT_NO_ENVIRONMENT_NAMES);
    xkb_context_set_log_level(keyboard->context, XKB_LOG_LEVEL_CRITICAL);
    if (!load(keyboard, "us", ""))
        log_warning(
            "no keymap can be loaded: is xkb-data installed? Only clients that send characters can type");
    keyboard->table =
        xkb_compose_table_new_from_locale(keyboard->context, "en_US.UTF-8", XKB_COMPOSE_COMPILE_NO_FLAGS);
    if (keyboard->table)
        keyboard->compose = xkb_compose_state_new(keyboard->table, XKB_COMPOSE_STATE_NO_FLAGS);
    return keyboard;
}

void keyboard_free(Keyboard *keyboard)
{
    xkb_compose_state_unref(keyboard->compose);
    xkb_compose_table_unref(keyboard->table);
    xkb_state_unref(keyboard->state);
    xkb_keymap_unref(keyboard->keymap);
    xkb_context_unref(keyboard->context);
    g_free(keyboard);
}

void keyboard_set_layout(Keyboard *keyboard, const char *layout, const char *variant)
{
    if (*layout && !load(keyboard, layout, variant) && !load(keyboard, layout, ""))
        log_warning("the client's keyboard layout \"%s\" is not known: us is taken", layout);
}

const char *keyboard_name(const Keyboard *keyboard)
{
    const char *name = keyboard->keymap ? xkb_keymap_layout_get_name(keyboard->keymap, 0) : NULL;
    return name ? name : "";
}

void keyboard_set_locks(Keyboard *keyboard, guint mask)
{
    static const struct {
        guint lock;
        const char *name;
    } locks[] = {{SEAT_LOCK_CAPS, XKB_MOD_NAME_CAPS}, {SEAT_LOCK_NUM, XKB_MOD_NAME_NUM}};
    xkb_mod_mask_t locked = 0;
    keyboard->keysym_caps = (mask & SEAT_LOCK_CAPS) != 0;
    if (!keyboard->state)
        return;
    for (guint i = 0; i < G_N_ELEMENTS(locks); i++) {
        xkb_mod_index_t index = xkb_keymap_mod_get_index(keyboard->keymap, locks[i].name);
        if ((mask & locks[i].lock) && index != XKB_MOD_INVALID)
            locked |= 1u << index;
    }
    xkb_state_update_mask(keyboard->state,
                          xkb_state_serialize_mods(keyboard->state, XKB_STATE_MODS_DEPRESSED),
                          xkb_state_serialize_mods(keyboard->state, XKB_STATE_MODS_LATCHED), locked, 0, 0,
                          xkb_state_serialize_layout(keyboard->state, XKB_STATE_LAYOUT_LOCKED));
}

gboolean keyboard_caps_lock(const Keyboard *keyboard)
{
    return keyboard->keysym_caps ||
           (keyboard->state &&
            xkb_state_mod_name_is_active(keyboard->state, XKB_MOD_NAME_CAPS, XKB_STATE_MODS_LOCKED) > 0);
}

static gboolean named_key(xkb_keysym_t keysym, gboolean shift, FormKey *key)
{
    static const struct {
        xkb_keysym_t keysym;
        FormKey key;
    } names[] = {{XKB_KEY_Return, FORM_KEY_ENTER},
                 {XKB_KEY_KP_Enter, FORM_KEY_ENTER},
                 {XKB_KEY_ISO_Left_Tab, FORM_KEY_PREVIOUS},
                 {XKB_KEY_Tab, FORM_KEY_NEXT},
                 {XKB_KEY_KP_Tab, FORM_KEY_NEXT},
                 {XKB_KEY_Escape, FORM_KEY_ESCAPE},
                 {XKB_KEY_BackSpace, FORM_KEY_BACKSPACE},
                 {XKB_KEY_Delete, FORM_KEY_DELETE},
                 {XKB_KEY_KP_Delete, FORM_KEY_DELETE},
                 {XKB_KEY_Left, FORM_KEY_LEFT},
                 {XKB_KEY_KP_Left, FORM_KEY_LEFT},
                 {XKB_KEY_Right, FORM_KEY_RIGHT},
                 {XKB_KEY_KP_Right, FORM_KEY_RIGHT},
                 {XKB_KEY_Up, FORM_KEY_UP},
                 {XKB_KEY_KP_Up, FORM_KEY_UP},
                 {XKB_KEY_Down, FORM_KEY_DOWN},
                 {XKB_KEY_KP_Down, FORM_KEY_DOWN},
                 {XKB_KEY_Home, FORM_KEY_HOME},
                 {XKB_KEY_KP_Home, FORM_KEY_HOME},
                 {XKB_KEY_End, FORM_KEY_END},
                 {XKB_KEY_KP_End, FORM_KEY_END},
                 {XKB_KEY_Page_Up, FORM_KEY_PAGE_UP},
                 {XKB_KEY_KP_Page_Up, FORM_KEY_PAGE_UP},
                 {XKB_KEY_Page_Down, FORM_KEY_PAGE_DOWN},
                 {XKB_KEY_KP_Page_Down, FORM_KEY_PAGE_DOWN}};
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        if (names[i].keysym != keysym)
            continue;
        *key = names[i].key == FORM_KEY_NEXT && shift ? FORM_KEY_PREVIOUS : names[i].key;
        return TRUE;
    }
    return FALSE;
}

/* What a keysym means after dead keys and compose sequences. */
static gboolean resolve(Keyboard *keyboard, xkb_keysym_t keysym, gboolean shift, gboolean control,
                        gboolean alt, FormKey *key, char text[16])
{
    gboolean composed = FALSE;
    if (named_key(keysym, shift, key)) {
        if (keyboard->compose)
            xkb_compose_state_reset(keyboard->compose);
        return TRUE;
    }
    if (control && (keysym == XKB_KEY_u || keysym == XKB_KEY_U)) {
        *key = FORM_KEY_CLEAR;
        return TRUE;
    }
    if (control || alt)
        return FALSE;
    if (keyboard->compose && xkb_compose_state_feed(keyboard->compose, keysym) == XKB_COMPOSE_FEED_ACCEPTED) {
        enum xkb_compose_status status = xkb_compose_state_get_status(keyboard->compose);
        if (status == XKB_COMPOSE_COMPOSING || status == XKB_COMPOSE_CANCELLED)
            return FALSE;
        composed = status == XKB_COMPOSE_COMPOSED;
        if (composed)
            xkb_compose_state_get_utf8(keyboard->compose, text, 16);
    }
    if (!composed && xkb_keysym_to_utf8(keysym, text, 16) <= 0)
        return FALSE;
    *key = FORM_KEY_TEXT;
    return *text && g_utf8_validate(text, -1, NULL) && !g_unichar_iscntrl(g_utf8_get_char(text));
}

static gboolean is_active(const Keyboard *keyboard, const char *name)
{
    return xkb_state_mod_name_is_active(keyboard->state, name, XKB_STATE_MODS_EFFECTIVE) > 0;
}

gboolean keyboard_repeats(Keyboard *keyboard, guint32 number, gboolean pressed, gint64 now_us)
{
    gboolean same = keyboard->last == number;
    gboolean repeats = pressed && same && (keyboard->last_down || now_us - keyboard->last_up_us < REPEAT_US);

    if (pressed) {
        keyboard->last = number;
        keyboard->last_down = TRUE;
    } else if (same) {
        keyboard->last_down = FALSE;
        keyboard->last_up_us = now_us;
    }
    return repeats;
}

gboolean keyboard_code(Keyboard *keyboard, guint code, gboolean pressed, FormKey *key, char text[16])
{
    guint evdev = keycode_to_evdev(code);
    if (!keyboard->state || evdev == 0)
        return FALSE;
    xkb_keycode_t number = evdev + EVDEV_OFFSET;
    xkb_keysym_t keysym = xkb_state_key_get_one_sym(keyboard->state, number);
    gboolean meant = pressed && resolve(keyboard, keysym, is_active(keyboard, XKB_MOD_NAME_SHIFT),
                                        is_active(keyboard, XKB_MOD_NAME_CTRL),
                                        is_active(keyboard, XKB_MOD_NAME_ALT), key, text);
    xkb_state_update_key(keyboard->state, number, pressed ? XKB_KEY_DOWN : XKB_KEY_UP);
    if (pressed && keysym == XKB_KEY_Caps_Lock)
        keyboard->keysym_caps = FALSE; /* from here on the layout's own state tells */
    return meant;
}

gboolean keyboard_keysym(Keyboard *keyboard, guint32 keysym, gboolean pressed, FormKey *key, char text[16])
{
    switch (keysym) {
    case XKB_KEY_Shift_L:
    case XKB_KEY_Shift_R:
        keyboard->shift = pressed;
        return FALSE;
    case XKB_KEY_Control_L:
    case XKB_KEY_Control_R:
        keyboard->control = pressed;
        return FALSE;
    case XKB_KEY_Alt_L:
    case XKB_KEY_Meta_L:
        keyboard->alt = pressed;
        return FALSE;
    case XKB_KEY_Caps_Lock:
        keyboard->keysym_caps ^= pressed;
        return FALSE;
    default:
        return pressed &&
               resolve(keyboard, keysym, keyboard->shift, keyboard->control, keyboard->alt, key, text);
    }
}
