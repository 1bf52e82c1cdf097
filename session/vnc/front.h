/* The RFB handshake up to ClientInit as a pure state machine: version, security, VeNCrypt, credentials,
 * result. It does no I/O and no TLS; whoever drives it does (connection.c). Not here: ServerInit and all that
 * follows. */
#pragma once

#include "base/proto/seat_link.h"

typedef struct Front Front;

typedef enum {
    FRONT_MORE,      /* needs more bytes */
    FRONT_START_TLS, /* send the output, then begin TLS and call front_secured() */
    FRONT_LOGIN,     /* X509Plain or a web ticket: ask, then call front_verdict() */
    FRONT_OPEN,      /* X509None: it is let in, to a greeter that asks */
    FRONT_FINISHED,  /* ClientInit has come */
    FRONT_FAILED,    /* send the output (the reason stands in it where the client can read one), then close */
} FrontStep;

typedef enum {
    FRONT_TCP, /* the gate has sent our version; VeNCrypt only */
    FRONT_WEB, /* a socketpair from fernwerk-web: we send the version; type None, the ticket was before it */
} FrontKind;

/* `out` (borrowed) takes what is to be sent. */
Front *front_new(FrontKind kind, GByteArray *out);

/* Feeds bytes; *used says how many were taken (bytes after a step that is not FRONT_MORE are left: they
 * belong to TLS, or to whatever follows). After FRONT_LOGIN it takes nothing until front_verdict(). */
FrontStep front_feed(Front *front, const guint8 *bytes, gsize length, gsize *used);

/* TLS is up: from now on decrypted bytes are fed and the output goes through TLS. Returns FRONT_MORE
 * (X509Plain) or FRONT_OPEN (X509None); go on feeding after either. */
FrontStep front_secured(Front *front);

/* X509Plain: the credentials of FRONT_LOGIN; valid until front_verdict() scrubs them. "" for web. */
const char *front_user(const Front *front);
const char *front_password(const Front *front);

/* Answers FRONT_LOGIN: lets the client in, or refuses it with a sentence (then the front has failed). */
void front_verdict(Front *front, gboolean allowed, const char *reason);

/* Ends the handshake wherever it stands with a reason, where the protocol has a place for one. */
void front_refuse(Front *front, const char *reason);

/* Why it failed, for the log (static or owned by the front), NULL when it has not. */
const char *front_failure(const Front *front);

/* Scrubs and frees; NULL is allowed. */
void front_free(Front *front);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Front, front_free)
