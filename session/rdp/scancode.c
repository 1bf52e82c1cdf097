/* Scancodes, Unicode units and wheels. */
#include "session/rdp/scancode.h"

#define FLAG_EXTENDED 0x0100
#define FLAG_EXTENDED1 0x0200
#define FLAG_RELEASE 0x8000
#define NUMBER_PAUSE 0xc6
#define CODE_CONTROL 0x1d
#define CODE_NUM_LOCK 0x45

gboolean scancode_key(ScancodeState *state, guint16 flags, guint8 code, guint32 *number, gboolean *pressed)
{
    *pressed = !(flags & FLAG_RELEASE);
    if (flags & FLAG_EXTENDED1) {
        /* Pause is sent as E1 1D 45, the Control key being no real one. */
        state->pause = code == CODE_CONTROL;
        return FALSE;
    }
    if (state->pause && code == CODE_NUM_LOCK) {
        state->pause = FALSE;
        *number = NUMBER_PAUSE;
        return TRUE;
    }
    state->pause = FALSE;
    if (code == 0 || code > 0x7f)
        return FALSE;
    *number = code | (flags & FLAG_EXTENDED ? 0x80u : 0u);
    return TRUE;
}

static guint32 keysym_of(gunichar character)
{
    switch (character) {
    case '\b':
        return 0xff08;
    case '\t':
        return 0xff09;
    case '\n':
    case '\r':
        return 0xff0d;
    case 0x1b:
        return 0xff1b;
    case 0x7f:
        return 0xffff;
    }
    if (character < 0x20 || (character >= 0x80 && character < 0xa0))
        return 0;
    return character < 0x100 ? character : 0x01000000 + character;
}

gboolean scancode_unicode(ScancodeState *state, guint16 flags, guint16 unit, guint32 *keysym,
                          gboolean *pressed)
{
    gunichar character = unit;

    *pressed = !(flags & FLAG_RELEASE);
    if (unit >= 0xd800 && unit < 0xdc00) {
        state->surrogate = unit;
        return FALSE;
    }
    if (unit >= 0xdc00 && unit < 0xe000) {
        if (state->surrogate == 0)
            return FALSE;
        character = 0x10000 + (((gunichar)state->surrogate - 0xd800) << 10) + (unit - 0xdc00u);
    }
    state->surrogate = 0;
    *keysym = keysym_of(character);
    return *keysym != 0;
}

gint scancode_wheel(guint16 flags)
{
    gint rotation = flags & 0x01ff;
    return rotation & 0x0100 ? rotation - 0x0200 : rotation;
}
