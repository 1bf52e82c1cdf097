/* The handshake's state machine: RFC 6143 section 7.1, VeNCrypt 0.2 as rfbproto describes it. */
#include "session/vnc/front.h"

#include "session/vnc/rfb.h"
#include "session/vnc/wire.h"

#include <string.h>

typedef enum {
    STATE_VERSION,
    STATE_TYPE,
    STATE_VENCRYPT_VERSION,
    STATE_SUBTYPE,
    STATE_TLS,
    STATE_PLAIN_LENGTHS,
    STATE_PLAIN_TEXT,
    STATE_VERDICT,
    STATE_CLIENT_INIT,
    STATE_FINISHED,
    STATE_FAILED,
} State;

#define CREDENTIALS_MAX (SEAT_NAME_MAX + SEAT_SECRET_MAX)

struct Front {
    FrontKind kind;
    State state;
    GByteArray *out;
    guint minor; /* of the version in use: 3, 7 or 8 */
    gsize wanted;
    gsize held;
    guint8 bytes[CREDENTIALS_MAX];
    gsize user_length, password_length;
    char user[SEAT_NAME_MAX];
    char password[SEAT_SECRET_MAX];
    guint32 subtype;
    gboolean result_due; /* the client waits for a SecurityResult */
    char *failure;
};

/* Makes every move. Illegal ones assert. */
static void move_to(Front *front, State state, gsize wanted)
{
    static const guint16 allowed[] = {
        [STATE_VERSION] = 1 << STATE_TYPE | 1 << STATE_FAILED,
        [STATE_TYPE] = 1 << STATE_VENCRYPT_VERSION | 1 << STATE_VERDICT | 1 << STATE_FAILED,
        [STATE_VENCRYPT_VERSION] = 1 << STATE_SUBTYPE | 1 << STATE_FAILED,
        [STATE_SUBTYPE] = 1 << STATE_TLS | 1 << STATE_FAILED,
        [STATE_TLS] = 1 << STATE_PLAIN_LENGTHS | 1 << STATE_CLIENT_INIT | 1 << STATE_FAILED,
        [STATE_PLAIN_LENGTHS] = 1 << STATE_PLAIN_TEXT | 1 << STATE_FAILED,
        [STATE_PLAIN_TEXT] = 1 << STATE_VERDICT | 1 << STATE_FAILED,
        [STATE_VERDICT] = 1 << STATE_CLIENT_INIT | 1 << STATE_FAILED,
        [STATE_CLIENT_INIT] = 1 << STATE_FINISHED | 1 << STATE_FAILED,
        [STATE_FINISHED] = 0,
        [STATE_FAILED] = 0,
    };
    g_assert(allowed[front->state] & 1 << state);
    g_assert(wanted <= sizeof front->bytes);
    front->state = state;
    front->wanted = wanted;
    front->held = 0;
}

Front *front_new(FrontKind kind, GByteArray *out)
{
    Front *front = g_new0(Front, 1);
    front->kind = kind;
    front->out = out;
    front->minor = 8;
    front->state = STATE_VERSION;
    front->wanted = RFB_VERSION_LENGTH;
    if (kind == FRONT_WEB)
        g_byte_array_append(out, (const guint8 *)RFB_VERSION, RFB_VERSION_LENGTH);
    return front;
}

static void put_reason(Front *front, const char *reason)
{
    wire_put32(front->out, (guint32)strlen(reason));
    g_byte_array_append(front->out, (const guint8 *)reason, (guint)strlen(reason));
}

static FrontStep fail(Front *front, const char *reason)
{
    g_free(front->failure);
    front->failure = g_strdup(reason);
    move_to(front, STATE_FAILED, 0);
    explicit_bzero(front->password, sizeof front->password);
    explicit_bzero(front->bytes, sizeof front->bytes);
    return FRONT_FAILED;
}

/* A refusal in place of the list of security types. */
static FrontStep fail_types(Front *front, const char *reason)
{
    if (front->minor >= 7)
        wire_put8(front->out, 0);
    else
        wire_put32(front->out, 0);
    put_reason(front, reason);
    return fail(front, reason);
}

static FrontStep fail_result(Front *front, const char *reason)
{
    if (front->result_due) {
        wire_put32(front->out, 1);
        if (front->minor >= 8)
            put_reason(front, reason);
    }
    return fail(front, reason);
}

static FrontStep take_version(Front *front)
{
    const guint8 *b = front->bytes;
    gboolean digits = TRUE;
    for (guint i = 4; i < 11; i++)
        digits &= i == 7 ? b[i] == '.' : g_ascii_isdigit(b[i]);
    if (memcmp(b, "RFB ", 4) != 0 || b[11] != '\n' || !digits)
        return fail(front, "the first bytes are not RFB");
    guint major = (b[4] - '0') * 100u + (b[5] - '0') * 10u + (b[6] - '0');
    guint minor = (b[8] - '0') * 100u + (b[9] - '0') * 10u + (b[10] - '0');
    if (major < 3)
        return fail_types(front, "This viewer's RFB version is too old. Use a viewer that speaks RFB 3.8.");
    /* Anything odd below 3.7 is to be taken for 3.3 (RFC 6143, 7.1.1); more than we offered is not. */
    front->minor = major > 3 || minor >= 8 ? 8 : minor == 7 ? 7 : 3;
    if (front->minor == 3)
        return fail_types(front,
                          "This viewer speaks RFB 3.3, which cannot encrypt. Use a viewer with VeNCrypt "
                          "(TLS with X509), for instance TigerVNC.");
    wire_put8(front->out, 1);
    wire_put8(front->out, front->kind == FRONT_WEB ? RFB_SECURITY_NONE : RFB_SECURITY_VENCRYPT);
    move_to(front, STATE_TYPE, 1);
    return FRONT_MORE;
}

static FrontStep take_type(Front *front)
{
    guint type = front->bytes[0];
    front->result_due = TRUE;
    if (front->kind == FRONT_WEB && type == RFB_SECURITY_NONE) {
        /* RFB 3.7 has no result after type None. */
        front->result_due = front->minor >= 8;
        move_to(front, STATE_VERDICT, 0);
        return FRONT_LOGIN;
    }
    if (front->kind == FRONT_TCP && type == RFB_SECURITY_VENCRYPT) {
        wire_put16(front->out, 0x0002); /* VeNCrypt 0.2 */
        move_to(front, STATE_VENCRYPT_VERSION, 2);
        return FRONT_MORE;
    }
    return fail_result(front, front->kind == FRONT_TCP
                                  ? "This server takes only VeNCrypt (TLS with X509) as security type."
                                  : "This end takes only security type None.");
}

static FrontStep take_vencrypt_version(Front *front)
{
    if (wire_get16(front->bytes) != 0x0002) {
        wire_put8(front->out, 1); /* not supported */
        return fail(front, "the client wants a VeNCrypt version other than 0.2");
    }
    wire_put8(front->out, 0);
    wire_put8(front->out, 2);
    wire_put32(front->out, RFB_VENCRYPT_X509_PLAIN);
    wire_put32(front->out, RFB_VENCRYPT_X509_NONE);
    move_to(front, STATE_SUBTYPE, 4);
    return FRONT_MORE;
}

static FrontStep take_subtype(Front *front)
{
    guint32 subtype = wire_get32(front->bytes);
    if (subtype != RFB_VENCRYPT_X509_PLAIN && subtype != RFB_VENCRYPT_X509_NONE) {
        wire_put8(front->out, 0);
        return fail(front, "the client wants a VeNCrypt subtype that was not offered");
    }
    wire_put8(front->out, 1);
    front->subtype = subtype;
    move_to(front, STATE_TLS, 0);
    return FRONT_START_TLS;
}

FrontStep front_secured(Front *front)
{
    g_return_val_if_fail(front->state == STATE_TLS, FRONT_FAILED);
    if (front->subtype == RFB_VENCRYPT_X509_PLAIN) {
        move_to(front, STATE_PLAIN_LENGTHS, 8);
        return FRONT_MORE;
    }
    wire_put32(front->out, 0);
    move_to(front, STATE_CLIENT_INIT, 1);
    return FRONT_OPEN;
}

static FrontStep take_plain_lengths(Front *front)
{
    guint32 user = wire_get32(front->bytes), password = wire_get32(front->bytes + 4);
    if (user >= SEAT_NAME_MAX || password >= SEAT_SECRET_MAX)
        return fail_result(front, "This user name or password is too long.");
    front->user_length = user;
    front->password_length = password;
    move_to(front, STATE_PLAIN_TEXT, user + password);
    return FRONT_MORE;
}

static FrontStep take_plain_text(Front *front)
{
    memcpy(front->user, front->bytes, front->user_length);
    memcpy(front->password, front->bytes + front->user_length, front->password_length);
    explicit_bzero(front->bytes, sizeof front->bytes);
    /* A NUL inside would cut the text that is checked short of the text that was typed. */
    if (strlen(front->user) != front->user_length || strlen(front->password) != front->password_length ||
        !g_utf8_validate(front->user, -1, NULL))
        return fail_result(front, "This user name or password has characters that cannot be.");
    move_to(front, STATE_VERDICT, 0);
    return FRONT_LOGIN;
}

static FrontStep take(Front *front)
{
    switch (front->state) {
    case STATE_VERSION:
        return take_version(front);
    case STATE_TYPE:
        return take_type(front);
    case STATE_VENCRYPT_VERSION:
        return take_vencrypt_version(front);
    case STATE_SUBTYPE:
        return take_subtype(front);
    case STATE_PLAIN_LENGTHS:
        return take_plain_lengths(front);
    case STATE_PLAIN_TEXT:
        return take_plain_text(front);
    case STATE_CLIENT_INIT:
        move_to(front, STATE_FINISHED, 0);
        return FRONT_FINISHED;
    case STATE_TLS:
    case STATE_VERDICT:
    case STATE_FINISHED:
    case STATE_FAILED:
        break;
    }
    g_assert_not_reached();
}

FrontStep front_feed(Front *front, const guint8 *bytes, gsize length, gsize *used)
{
    FrontStep step = FRONT_MORE;
    *used = 0;
    while (step == FRONT_MORE) {
        if (front->state == STATE_VERDICT || front->state == STATE_TLS)
            return FRONT_MORE;
        if (front->state == STATE_FINISHED || front->state == STATE_FAILED)
            return front->state == STATE_FINISHED ? FRONT_FINISHED : FRONT_FAILED;
        gsize n = MIN(front->wanted - front->held, length - *used);
        memcpy(front->bytes + front->held, bytes + *used, n);
        front->held += n;
        *used += n;
        if (front->held < front->wanted)
            return FRONT_MORE;
        step = take(front);
    }
    return step;
}

const char *front_user(const Front *front)
{
    return front->user;
}

const char *front_password(const Front *front)
{
    return front->password;
}

void front_verdict(Front *front, gboolean allowed, const char *reason)
{
    g_return_if_fail(front->state == STATE_VERDICT);
    if (!allowed) {
        fail_result(front, reason);
        return;
    }
    if (front->result_due)
        wire_put32(front->out, 0);
    explicit_bzero(front->password, sizeof front->password);
    move_to(front, STATE_CLIENT_INIT, 1);
}

void front_refuse(Front *front, const char *reason)
{
    switch (front->state) {
    case STATE_VERSION:
        fail_types(front, reason);
        break;
    case STATE_PLAIN_LENGTHS:
    case STATE_PLAIN_TEXT:
    case STATE_VERDICT:
        fail_result(front, reason);
        break;
    case STATE_TYPE:
    case STATE_VENCRYPT_VERSION:
    case STATE_SUBTYPE:
    case STATE_TLS:
    case STATE_CLIENT_INIT:
        fail(front, reason);
        break;
    case STATE_FINISHED:
    case STATE_FAILED:
        break;
    }
}

const char *front_failure(const Front *front)
{
    return front->failure;
}

void front_free(Front *front)
{
    if (!front)
        return;
    explicit_bzero(front->password, sizeof front->password);
    explicit_bzero(front->bytes, sizeof front->bytes);
    g_free(front->failure);
    g_free(front);
}
