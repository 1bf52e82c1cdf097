/* The web's end of the control link (docs/internals/control-link.md): calls with answers, one stream,
 * bounded. The link may go and come back at any time; calls under way then end as unreachable. */
#pragma once

#include <json-glib/json-glib.h>

typedef struct BrokerLink BrokerLink;

/* What came of a call. Exactly one of result and code is set. */
typedef struct {
    JsonNode *result; /* borrowed */
    const char *
        code; /* an error's code, e.g. "denied"; "unreachable" when there is no broker or no answer in time */
    const char *message;   /* a sentence, with code */
    const char *hint;      /* or NULL */
    gint64 retry_after_ms; /* with "wait", else 0 */
    gboolean no_session;   /* with "denied": the handle is missing, unknown or expired */
} BrokerAnswer;

/* Called once for each call that was not cancelled, always from the main loop. */
typedef void (*BrokerDone)(const BrokerAnswer *answer, gpointer data);

/* up: called whenever a new stream has come. */
BrokerLink *broker_link_new(void (*up)(gpointer data), gpointer data);
/* Calls under way are dropped without an answer. */
void broker_link_free(BrokerLink *link);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BrokerLink, broker_link_free)

/* Takes a stream socket over, in place of the one before. */
void broker_link_attach(BrokerLink *link, int fd);
gboolean broker_link_is_up(const BrokerLink *link);

/* Calls a verb. session: a handle or NULL; source: the browser's address or NULL; args is taken over (NULL:
 * none). Answers within 10 s, else "unreachable". Returns the call's id for broker_link_cancel(), never 0. */
guint64 broker_link_call(BrokerLink *link, const char *verb, const char *session, const char *source,
                         JsonObject *args, BrokerDone done, gpointer data);
/* done will not be called any more. Unknown ids are ignored. */
void broker_link_cancel(BrokerLink *link, guint64 id);
