/* Keysym to key strokes with libxkbcommon. The guest's keyboard is modelled by which modifier keys are held
 * and which locks are on; for each keysym the key and the modifiers nearest to what is held are sought,
 * missing modifiers are pressed for the stroke, disturbing ones let go for it. */
#include "session/seat/typer.h"

#include "base/log.h"
#include "base/proto/seat_link.h"
#include "session/seat/keycodes.h"

#include <string.h>
#include <xkbcommon/xkbcommon-keysyms.h>
#include <xkbcommon/xkbcommon.h>

#define XKB_FIRST 8 /* XKB key codes are evdev's plus 8 */
#define HELD_MAX 16

enum {
    CODE_LEFT_SHIFT = 0x2a,
    CODE_RIGHT_SHIFT = 0x36,
    CODE_ALT_GR = 0xb8,
    CODE_CAPS = 0x3a,
    CODE_NUM = 0x45,
    CODE_SCROLL = 0x46
};

enum { WITH_SHIFT = 1, WITH_ALT_GR = 2, COMBINATIONS = 4 };

typedef struct {
    guint code; /* QEMU key number, 0: none */
    guint with; /* WITH_* that must be held */
} Stroke;

typedef struct {
    guint32 keysym; /* 0: free */
    guint code;
} Held;

struct Typer {
    char *layout, *variant;
    TyperKey key;
    gpointer data;
    struct xkb_keymap *keymap;
    struct xkb_state *state; /* scratch */
    xkb_mod_mask_t shift, alt_gr, caps, num;
    gboolean loaded;
    guint8 down[256 / 8];
    Held held[HELD_MAX];
    guint locks; /* SEAT_LOCK_* of the guest, as far as we know */
};

Typer *typer_new(const char *layout, const char *variant, TyperKey key, gpointer data)
{
    Typer *typer = g_new0(Typer, 1);
    typer->layout = g_strdup(layout && *layout ? layout : "us");
    typer->variant = g_strdup(variant ? variant : "");
    typer->key = key;
    typer->data = data;
    return typer;
}

void typer_free(Typer *typer)
{
    if (!typer)
        return;
    xkb_state_unref(typer->state);
    xkb_keymap_unref(typer->keymap);
    g_free(typer->layout);
    g_free(typer->variant);
    g_free(typer);
}

/* ---- the layout ---- */

static struct xkb_keymap *load_layout(const char *layout, const char *variant)
{
    struct xkb_context *context = xkb_context_new(XKB_CONTEXT_NO_ENVIRONMENT_NAMES);
    if (context)
        xkb_context_set_log_level(context, XKB_LOG_LEVEL_CRITICAL);
    struct xkb_rule_names names = {.rules = "evdev", .model = "pc105", .layout = layout, .variant = variant};
    struct xkb_keymap *keymap =
        context ? xkb_keymap_new_from_names(context, &names, XKB_KEYMAP_COMPILE_NO_FLAGS) : NULL;
    xkb_context_unref(context);
    return keymap;
}

static xkb_mod_mask_t modifier(struct xkb_keymap *keymap, const char *name)
{
    xkb_mod_index_t index = xkb_keymap_mod_get_index(keymap, name);
    return index == XKB_MOD_INVALID ? 0 : (xkb_mod_mask_t)1 << index;
}

static gboolean load(Typer *typer)
{
    if (typer->loaded)
        return typer->keymap != NULL;
    typer->loaded = TRUE;
    typer->keymap = load_layout(typer->layout, typer->variant);
    if (!typer->keymap) {
        log_warning("keyboard layout \"%s\" (%s) does not exist, \"us\" is taken", typer->layout,
                    typer->variant);
        typer->keymap = load_layout("us", "");
    }
    if (!typer->keymap) {
        log_error("no keyboard layout can be loaded: is xkb-data installed?");
        return FALSE;
    }
    typer->state = xkb_state_new(typer->keymap);
    typer->shift = modifier(typer->keymap, XKB_MOD_NAME_SHIFT);
    typer->caps = modifier(typer->keymap, XKB_MOD_NAME_CAPS);
    typer->num = modifier(typer->keymap, XKB_MOD_NAME_NUM);
    /* The third level hangs on Mod5 in every rule set of xkeyboard-config. */
    typer->alt_gr = modifier(typer->keymap, "Mod5");
    return TRUE;
}

static gboolean same_symbol(xkb_keysym_t a, xkb_keysym_t b)
{
    if (a == b)
        return TRUE;
    guint32 character = xkb_keysym_to_utf32(a);
    /* Return and KP_Enter share a character and are different keys; below space the keysym itself must match.
     */
    return character > 0x20 && character != 0x7f && character == xkb_keysym_to_utf32(b) &&
           (a > 0xffff) != (b > 0xffff);
}

static guint held_combination(const Typer *typer)
{
#define DOWN(CODE) ((typer->down[(CODE) / 8] >> (CODE) % 8) & 1)
    return (DOWN(CODE_LEFT_SHIFT) || DOWN(CODE_RIGHT_SHIFT) ? WITH_SHIFT : 0) |
           (DOWN(CODE_ALT_GR) ? WITH_ALT_GR : 0);
}

/* The stroke that yields this keysym, with as little change to the held modifiers as possible. */
static Stroke find_stroke(Typer *typer, guint32 keysym)
{
    guint now = held_combination(typer);
    xkb_mod_mask_t locked =
        (typer->locks & SEAT_LOCK_CAPS ? typer->caps : 0) | (typer->locks & SEAT_LOCK_NUM ? typer->num : 0);

    for (guint change = 0; change < COMBINATIONS; change++) {
        guint with = now ^ change;
        xkb_mod_mask_t held =
            (with & WITH_SHIFT ? typer->shift : 0) | (with & WITH_ALT_GR ? typer->alt_gr : 0);
        xkb_state_update_mask(typer->state, held, 0, locked, 0, 0, 0);
        for (xkb_keycode_t key = XKB_FIRST + 1; key <= xkb_keymap_max_keycode(typer->keymap); key++) {
            guint code = keycode_from_evdev(key - XKB_FIRST);
            if (code != 0 && same_symbol(xkb_state_key_get_one_sym(typer->state, key), keysym))
                return (Stroke){code, with};
        }
    }
    return (Stroke){0};
}

/* ---- strokes ---- */

static void send_key(Typer *typer, guint code, gboolean pressed)
{
    guint8 bit = 1u << code % 8;
    gboolean was = (typer->down[code / 8] & bit) != 0;

    typer->down[code / 8] = pressed ? typer->down[code / 8] | bit : typer->down[code / 8] & (guint8)~bit;
    /* What a lock key does shows in the guest's lights; a guest without lights is followed by counting. */
    if (pressed && !was)
        typer->locks ^= seat_lock_of(code);
    typer->key(code, pressed, typer->data);
}

static void tap(Typer *typer, guint code)
{
    send_key(typer, code, TRUE);
    send_key(typer, code, FALSE);
}

/* Brings Shift and AltGr to what the stroke needs, presses the key, and puts them back to what the client
 * holds. */
static void stroke_press(Typer *typer, Stroke stroke, gboolean release_too)
{
    static const guint codes[] = {CODE_LEFT_SHIFT, CODE_RIGHT_SHIFT, CODE_ALT_GR};
    gboolean before[G_N_ELEMENTS(codes)];

    for (guint i = 0; i < G_N_ELEMENTS(codes); i++) {
        gboolean needed = (stroke.with & (codes[i] == CODE_ALT_GR ? WITH_ALT_GR : WITH_SHIFT)) != 0;
        guint now = held_combination(typer);
        before[i] = DOWN(codes[i]);
        if (before[i] && !needed)
            send_key(typer, codes[i], FALSE);
        else if (needed && !before[i] && codes[i] == CODE_ALT_GR)
            send_key(typer, codes[i], TRUE);
        else if (needed && codes[i] == CODE_LEFT_SHIFT && !(now & WITH_SHIFT))
            send_key(typer, codes[i], TRUE);
    }
    send_key(typer, stroke.code, TRUE);
    if (release_too)
        send_key(typer, stroke.code, FALSE);
    for (guint i = 0; i < G_N_ELEMENTS(codes); i++)
        if (before[i] != DOWN(codes[i]) && codes[i] != stroke.code)
            send_key(typer, codes[i], before[i]);
}

/* ---- characters without a key of their own ---- */

static const struct {
    guint32 mark;  /* combining character */
    guint32 alone; /* the spacing character that the dead key and a space yield */
    guint32 dead;
} dead_keys[] = {
    {0x0300, 0x60, XKB_KEY_dead_grave},      {0x0301, 0xb4, XKB_KEY_dead_acute},
    {0x0302, 0x5e, XKB_KEY_dead_circumflex}, {0x0303, 0x7e, XKB_KEY_dead_tilde},
    {0x0304, 0xaf, XKB_KEY_dead_macron},     {0x0306, 0x2d8, XKB_KEY_dead_breve},
    {0x0307, 0x2d9, XKB_KEY_dead_abovedot},  {0x0308, 0xa8, XKB_KEY_dead_diaeresis},
    {0x030a, 0xb0, XKB_KEY_dead_abovering},  {0x030b, 0x2dd, XKB_KEY_dead_doubleacute},
    {0x030c, 0x2c7, XKB_KEY_dead_caron},     {0x0327, 0xb8, XKB_KEY_dead_cedilla},
    {0x0328, 0x2db, XKB_KEY_dead_ogonek},
};

static gboolean type_dead(Typer *typer, guint32 dead, guint32 base)
{
    Stroke first = find_stroke(typer, dead), second = find_stroke(typer, base);
    if (first.code == 0 || second.code == 0)
        return FALSE;
    stroke_press(typer, first, TRUE);
    stroke_press(typer, second, TRUE);
    return TRUE;
}

static gboolean type_composed(Typer *typer, guint32 keysym)
{
    gunichar character = xkb_keysym_to_utf32(keysym), base, mark;
    if (character == 0)
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(dead_keys); i++)
        if (dead_keys[i].alone == character && type_dead(typer, dead_keys[i].dead, XKB_KEY_space))
            return TRUE;
    if (!g_unichar_decompose(character, &base, &mark) || mark == 0)
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(dead_keys); i++)
        if (dead_keys[i].mark == mark)
            return type_dead(typer, dead_keys[i].dead, xkb_utf32_to_keysym(base));
    return FALSE;
}

/* Keys that clients name differently from the layout. */
static guint fallback_code(guint32 keysym)
{
    switch (keysym) {
    case XKB_KEY_Alt_R:
    case XKB_KEY_ISO_Level3_Shift:
    case XKB_KEY_Mode_switch:
        return CODE_ALT_GR;
    case XKB_KEY_Meta_L:
        return 0x38;
    case XKB_KEY_Super_R:
    case XKB_KEY_Meta_R:
        return 0xdc;
    case XKB_KEY_Print:
    case XKB_KEY_Sys_Req:
        return 0x54;
    case XKB_KEY_Break:
        return 0xc6;
    default:
        return 0;
    }
}

static Held *held_slot(Typer *typer, guint32 keysym)
{
    for (guint i = 0; i < HELD_MAX; i++)
        if (typer->held[i].keysym == keysym)
            return &typer->held[i];
    return NULL;
}

static gboolean keysym_pressed(Typer *typer, guint32 keysym)
{
    Held *held = held_slot(typer, keysym);
    if (held) {
        send_key(typer, held->code, TRUE); /* repeat */
        return TRUE;
    }
    Stroke stroke = find_stroke(typer, keysym);
    if (stroke.code == 0) {
        stroke.code = fallback_code(keysym);
        stroke.with = held_combination(typer);
    }
    if (stroke.code == 0)
        return type_composed(typer, keysym);
    held = held_slot(typer, 0);
    if (!held)
        return FALSE;
    *held = (Held){keysym, stroke.code};
    stroke_press(typer, stroke, FALSE);
    return TRUE;
}

gboolean typer_keysym(Typer *typer, guint32 keysym, gboolean pressed)
{
    if (keysym == 0 || !load(typer))
        return FALSE;
    if (pressed)
        return keysym_pressed(typer, keysym);
    Held *held = held_slot(typer, keysym);
    if (!held)
        return TRUE;
    guint code = held->code;
    *held = (Held){0};
    send_key(typer, code, FALSE);
    return TRUE;
}

void typer_key(Typer *typer, guint code, gboolean pressed)
{
    g_return_if_fail(code < 256);
    send_key(typer, code, pressed);
}

void typer_guest_locks(Typer *typer, guint mask)
{
    typer->locks = mask;
}

void typer_client_locks(Typer *typer, guint mask)
{
    guint different = typer->locks ^ mask;
    if (different & SEAT_LOCK_CAPS)
        tap(typer, CODE_CAPS);
    if (different & SEAT_LOCK_NUM)
        tap(typer, CODE_NUM);
    if (different & SEAT_LOCK_SCROLL)
        tap(typer, CODE_SCROLL);
}
