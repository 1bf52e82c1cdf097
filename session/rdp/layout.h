/* From Windows keyboard layout identifiers, which RDP clients send, to XKB names. */
#pragma once

#include <glib.h>

/* klid: e.g. 0x00000407. FALSE when it is not known; then both are "". Static strings. */
gboolean layout_from_klid(guint32 klid, const char **xkb_layout, const char **xkb_variant);
