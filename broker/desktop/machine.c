/* The table of a desktop's states. */
#include "broker/desktop/machine.h"

#define STATES 5

/* Next state + 1; 0: illegal. */
#define OFF (DESKTOP_OFF + 1)
#define STARTING (DESKTOP_STARTING + 1)
#define RUNNING (DESKTOP_RUNNING + 1)
#define STOPPING (DESKTOP_STOPPING + 1)
#define FAILED (DESKTOP_FAILED + 1)

/* clang-format off */
static const guint8 table[STATES][DESKTOP_EVENTS] = {
    /*                    START     FOUND     PICTURE  STOP      ENDED   FAILED */
    [DESKTOP_OFF] =      {STARTING, RUNNING,  0,       0,        OFF,    FAILED},
    [DESKTOP_STARTING] = {0,        STARTING, RUNNING, STOPPING, FAILED, FAILED},
    [DESKTOP_RUNNING] =  {0,        RUNNING,  RUNNING, STOPPING, OFF,    FAILED},
    [DESKTOP_STOPPING] = {0,        STOPPING, STOPPING, STOPPING, OFF,   FAILED},
    [DESKTOP_FAILED] =   {STARTING, RUNNING,  0,       0,        FAILED, FAILED},
};
/* clang-format on */

gboolean desktop_next(DesktopState from, DesktopEvent event, DesktopState *to)
{
    g_return_val_if_fail((guint)from < STATES && event < DESKTOP_EVENTS, FALSE);
    if (table[from][event] == 0)
        return FALSE;
    *to = (DesktopState)(table[from][event] - 1);
    return TRUE;
}

const char *desktop_state_name(DesktopState state)
{
    static const char *const names[STATES] = {"off", "starting", "running", "stopping", "failed"};
    g_return_val_if_fail((guint)state < STATES, "?");
    return names[state];
}
