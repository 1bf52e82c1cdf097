/* Key numbers or keysyms. */
#include "session/vnc/keys.h"

#define KEYSYM_MAX 0x1fffffffu

KeyForm keys_choose(KeyForms *forms, gboolean prefer_keysym, guint32 code, guint32 *keysym, gboolean pressed)
{
    gboolean has_code = code > 0 && code < KEYS_CODES;
    gboolean has_keysym = *keysym > 0 && *keysym <= KEYSYM_MAX;

    if (!has_code)
        return has_keysym ? KEY_AS_KEYSYM : KEY_IGNORED;
    if (forms->keysyms[code] != 0) {
        /* With another modifier held the same key may have another keysym by now. */
        *keysym = forms->keysyms[code];
        if (!pressed)
            forms->keysyms[code] = 0;
        return KEY_AS_KEYSYM;
    }
    if (!pressed || !prefer_keysym || !has_keysym)
        return KEY_AS_CODE;
    forms->keysyms[code] = *keysym;
    return KEY_AS_KEYSYM;
}
