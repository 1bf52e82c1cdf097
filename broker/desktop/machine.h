/* A desktop's life as one table. Pure. */
#pragma once

#include "base/proto/greeter_link.h"

typedef enum {
    DESKTOP_EVENT_START,   /* it is wanted */
    DESKTOP_EVENT_FOUND,   /* its VM was found running */
    DESKTOP_EVENT_PICTURE, /* the first picture has come */
    DESKTOP_EVENT_STOP,    /* it is to stop; or it failed, and its VM must go first */
    DESKTOP_EVENT_ENDED,   /* it is off now */
    DESKTOP_EVENT_FAILED,  /* it is off now and should not be: a reason says why */
    DESKTOP_EVENTS
} DesktopEvent;

/* TRUE when `event` may happen in `from`; *to is the next state (possibly the same). */
gboolean desktop_next(DesktopState from, DesktopEvent event, DesktopState *to);

/* "off", "starting", ... (static). */
const char *desktop_state_name(DesktopState state);
