/* The control link's server (docs/internals/control-link.md): the admin socket and the web's stream. It knows
 * users and verbs; desktops that run are behind ControlBackend, processes too. Main thread only. */
#pragma once

#include "base/config.h"
#include "base/proto/greeter_link.h"
#include "base/proto/master_link.h"
#include "base/proto/seat_control.h"
#include "broker/login/login.h"
#include "broker/store/store.h"

typedef struct Control Control;

typedef enum {
    CONTROL_OK,
    CONTROL_FAILED,
    CONTROL_USAGE,
    CONTROL_NOT_FOUND,
    CONTROL_CONFLICT,
    CONTROL_DENIED,
    CONTROL_UNREACHABLE,
    CONTROL_WAIT,
} ControlResult;

typedef enum { CONTROL_START, CONTROL_STOP, CONTROL_RESTART, CONTROL_RESET } ControlPower;

/* Called once for each request, from inside or later. message: a sentence unless OK; hint: a command or NULL;
 * borrowed. */
typedef void (*ControlDone)(ControlResult result, const char *message, const char *hint, gpointer request);
/* png: borrowed; length 0 with CONTROL_OK never happens: no picture is CONTROL_NOT_FOUND. */
typedef void (*ControlThumbnailDone)(ControlResult result, const char *message, const guint8 *png,
                                     gsize length, guint width, guint height, gpointer request);

typedef struct {
    DesktopState state;
    char reason[SEAT_TEXT_MAX]; /* in words when failed or off, else "" */
} ControlDesktopState;

typedef struct {
    char libvirt[128]; /* "connected (11.3.0)" or the error in words */
    char virt[64];     /* "kvm" or "tcg", and why */
    char instance[40]; /* UUID */
    GArray *processes; /* of MasterProcess; made by control, filled by the backend */
} ControlStatus;

/* What the broker does for the verbs (broker/desktop, broker/arrival). Each function gets `data` of
 * control_new() last; asynchronous ones call `done` exactly once with `request`. */
typedef struct {
    /* The state machine's state now. A name it does not know: DESKTOP_OFF. */
    void (*state)(const char *desktop, ControlDesktopState *state, gpointer data);
    /* A row was made: follow it, define its VM. On failure the row is deleted again. */
    void (*added)(const StoreDesktop *desktop, ControlDone done, gpointer request, gpointer data);
    /* start: done when the VM runs (its first picture may come later); stop: when it is off; restart: off and
     * running again; reset: its reset button, nothing on its disk changes. */
    void (*power)(const char *desktop, ControlPower action, ControlDone done, gpointer request,
                  gpointer data);
    /* The row is retired: stop the VM, undefine it, delete the disk, end the seat, give the lease back. */
    void (*remove)(const char *desktop, ControlDone done, gpointer request, gpointer data);
    /* A desktop got or lost its user: waiting greeters of that user see it at once. */
    void (*assigned)(const char *desktop, const char *user, gpointer data);
    /* End the processes of what was revoked, greeters of revoked->user included; done when they are dead;
     * gives the lease back where its owner is no longer assigned. revoked is borrowed: copy what outlives the
     * call. */
    void (*revoke)(const StoreRevoked *revoked, EndReason reason, const char *text, ControlDone done,
                   gpointer request, gpointer data);
    void (*thumbnail)(const char *desktop, guint max_width, guint max_height, ControlThumbnailDone done,
                      gpointer request, gpointer data);
    /* Appends EncoderVerdict to `verdicts`. */
    void (*encoders)(GArray *verdicts, gpointer data);
    void (*status)(ControlStatus *status, gpointer data);
} ControlBackend;

/* All pointers are borrowed and outlive the server. */
Control *control_new(Store *store, Login *login, const Config *config, const ControlBackend *backend,
                     gpointer data);
/* Closes all links; requests under way are answered to nobody. */
void control_free(Control *control);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Control, control_free)

/* Serves the admin socket: takes the listening socket over. FALSE: the configured group does not exist. */
gboolean control_listen(Control *control, int listener, GError **error);
/* Serves fernwerk-web over one end of a stream pair (MASTER_PROCESS of KIND_WEB), which is taken over; an
 * older one is closed. */
void control_attach_web(Control *control, int fd);
