/* What the control server's own files share: links, requests, and the ways to answer one. */
#pragma once

#include "broker/control/control.h"
#include "broker/control/verbs.h"

#define CONTROL_REQUEST_MAX 65536
#define CONTROL_ANSWER_MAX (4 * 1024 * 1024)
#define CONTROL_DEPTH_MAX 8

typedef struct ControlLink ControlLink;

struct Control {
    Store *store;
    Login *login;
    const Config *config;
    const ControlBackend *backend;
    gpointer data;
    int listener;
    guint listener_source;
    gid_t admin_group;
    gboolean has_admin_group;
    GPtrArray *links; /* of ControlLink */
    ControlLink *web;
};

typedef struct ControlRequest ControlRequest;
struct ControlRequest {
    Control *control;
    ControlLink *link; /* a reference; the peer may be gone */
    gint64 id;
    const Verb *verb;
    JsonObject *args;
    char *actor;        /* for the audit */
    char *source;       /* browser's address, or "local" */
    char *session;      /* handle as given, NULL: none; scrubbed */
    StoreUser *user;    /* of the session */
    gint64 web_session; /* its row */
    gboolean web;       /* came over the web's link, which gives up after a while */
    /* Work under way; each verb uses what it needs. */
    gint64 audit;
    JsonNode *result;
    char *hash, *name;
    guint timer;
    gboolean answered;
};

/* ---- link.c ---- */
ControlLink *control_link_new(Control *control, int fd, gboolean web, const char *actor);
ControlLink *control_link_ref(ControlLink *link);
void control_link_unref(ControlLink *link);
/* Closes; requests under way are answered to nobody. */
void control_link_close(ControlLink *link);
/* Sends one answer, {"id", "result"} or {"id", "error"}; `body` is taken over. done: a request is over. */
void control_link_send(ControlLink *link, gint64 id, const char *member, JsonNode *body, gboolean done);
gboolean control_link_is_web(const ControlLink *link);
const char *control_link_actor(const ControlLink *link);

/* ---- peer.c ---- */
/* TRUE when root or a member of the group may come in. Pure. */
gboolean control_peer_admitted(uid_t uid, gid_t gid, const gid_t *groups, guint count, gboolean has_group,
                               gid_t group);
/* Asks the kernel who is at the other end; *actor gets "uid:1000(alice)". */
gboolean control_peer_check(int fd, gboolean has_group, gid_t group, char **actor);

/* ---- dispatch.c ---- */
/* One line of a link, without its end. */
void control_dispatch(ControlLink *link, Control *control, const char *line, gsize length);
/* Each ends the request. */
void control_answer(ControlRequest *request, JsonNode *result);
void control_answer_object(ControlRequest *request, JsonObject *result);
void control_refuse(ControlRequest *request, ControlResult code, const char *message, const char *hint);
void control_refuse_wait(ControlRequest *request, const char *message, guint retry_after_ms);
/* The session is missing or over. */
void control_refuse_session(ControlRequest *request);
/* TRUE when the store's answer is OK; else the request is refused with it. */
gboolean control_store_ok(ControlRequest *request, const StoreReply *reply);
const char *control_text(const ControlRequest *request, const char *argument);
/* TRUE when the answer is the person's own desktop. Else the request for `action` is refused as if there were
 * no such desktop, and that is in the audit; `action` NULL: it is not. */
gboolean control_is_own(ControlRequest *request, const StoreReply *reply, const char *action);

/* ---- answers.c: objects to JSON; new references ---- */
JsonObject *control_user_json(const StoreUser *user);
JsonObject *control_template_json(const StoreTemplate *template);
JsonObject *control_desktop_json(Control *control, const StoreDesktop *desktop);
JsonObject *control_connection_json(const StoreConnection *connection);
JsonObject *control_audit_json(const StoreAudit *audit);
JsonObject *control_encoder_json(const EncoderVerdict *verdict);
JsonObject *control_status_json(const ControlStatus *status, const char *version);
char *control_time(gint64 ms);                     /* RFC 3339, UTC */
JsonNode *control_object_node(JsonObject *object); /* takes it over */
JsonNode *control_array_node(JsonArray *array);    /* takes it over */

/* ---- what the verbs do ---- */
typedef void (*ControlVerb)(ControlRequest *request);
void control_login(ControlRequest *request);
void control_logout(ControlRequest *request);
void control_whoami(ControlRequest *request);
void control_password_change(ControlRequest *request);
void control_mine(ControlRequest *request);
void control_connect(ControlRequest *request);
void control_rdp_file(ControlRequest *request);
void control_thumbnail(ControlRequest *request);
void control_power(ControlRequest *request); /* desktop.power and desktop.start, stop, restart, reset */
void control_user_add(ControlRequest *request);
void control_user_list(ControlRequest *request);
void control_user_show(ControlRequest *request);
void control_user_passwd(ControlRequest *request);
void control_user_disable(ControlRequest *request); /* and enable */
void control_user_remove(ControlRequest *request);
void control_template_add(ControlRequest *request);
void control_template_list(ControlRequest *request);
void control_template_show(ControlRequest *request);
void control_template_remove(ControlRequest *request);
void control_desktop_create(ControlRequest *request);
void control_desktop_list(ControlRequest *request);
void control_desktop_show(ControlRequest *request);
void control_desktop_remove(ControlRequest *request);
void control_assign(ControlRequest *request);
void control_unassign(ControlRequest *request);
void control_session_list(ControlRequest *request);
void control_session_kill(ControlRequest *request);
void control_encoder_list(ControlRequest *request);
void control_audit(ControlRequest *request);
void control_status(ControlRequest *request);

/* ---- revoking.c: ends what was revoked, then goes on with `next` (which ends the request) ---- */
void control_revoke(ControlRequest *request, const StoreRevoked *revoked, EndReason reason, const char *text,
                    ControlVerb next);

/* ---- template_check.c: NULL, or what is wrong with it as a sentence (caller frees). Blocks on the file
 * system. ---- */
char *control_template_problem(const StoreTemplate *template);

/* ---- rdp_file.c: pure; caller frees ---- */
char *rdp_file_content(const char *host, guint16 port, const char *user, const char *desktop);
/* "fernwerk-d1.rdp" */
char *rdp_file_name(const char *desktop);
