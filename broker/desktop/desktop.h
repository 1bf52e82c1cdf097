/* One desktop that may run: its state, its VM and its seat. Who may use it is the store's to say, who does is
 * broker/arrival's. Main thread only; nothing here blocks or calls back from inside a call, unless it says
 * so. */
#pragma once

#include "broker/desktop/machine.h"
#include "broker/desktop/seat_process.h"
#include "broker/store/store.h"

typedef struct Desktop Desktop;

const char *desktop_name(const Desktop *desktop);
DesktopState desktop_state(const Desktop *desktop);
/* Why it is off or failed, or what it waits for while it starts: a sentence or "". */
const char *desktop_reason(const Desktop *desktop);
gboolean desktop_is_vm(const Desktop *desktop);

/* Starts it when it is off or failed, else nothing. `size` (or NULL) is the screen of the person who
 * waits. */
void desktop_start(Desktop *desktop, const SeatSizeHint *size);

typedef enum {
    DESKTOP_POWER_START,
    DESKTOP_POWER_STOP,
    DESKTOP_POWER_RESTART,
    DESKTOP_POWER_RESET
} DesktopPower;
/* error: NULL when it is done, else in HYPERVISOR_ERROR; borrowed. */
typedef void (*DesktopDone)(const GError *error, gpointer data);
/* START: done when its VM runs. STOP: when it is off; the guest is asked first and switched off after
 * broker.desktop_stop_timeout_s. RESTART: STOP, then START. RESET: the reset button. `done` may come from
 * inside. */
void desktop_power(Desktop *desktop, DesktopPower power, DesktopDone done, gpointer data);

/* The seat that shows a picture of the running desktop; 0: none yet. */
ProcessId desktop_seat(const Desktop *desktop);
/* Makes sure that a seat is coming when the desktop runs. */
void desktop_want_seat(Desktop *desktop);
/* The lease under which clients come now. FALSE: the seat belonged to another lease and is being replaced. */
gboolean desktop_bind(Desktop *desktop, uint64_t epoch);
/* The lease is being given back: nobody's seat may stay. */
void desktop_release(Desktop *desktop);
/* How many clients are at it, or wait for it. A VM's seat is ended a minute after the last one. */
void desktop_set_users(Desktop *desktop, guint users);

/* As seat_process_thumbnail(), starting a seat when there is none. */
void desktop_thumbnail(Desktop *desktop, guint max_width, guint max_height, SeatThumbnailDone done,
                       gpointer data);

/* Removes it for good: VM destroyed, disk deleted, seat ended; then `done`, and the object is gone when it
 * worked. */
void desktop_remove(Desktop *desktop, DesktopDone done, gpointer data);
