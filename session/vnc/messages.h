/* A client's messages after the handshake as a pure, incremental parser with limits. What they mean is the
 * business of connection.c; nothing that is unknown or malformed gets past here. */
#pragma once

#include <glib.h>

#define RFB_ENCODINGS_MAX 256      /* in one SetEncodings; more is an error */
#define RFB_CUT_TEXT_MAX (1 << 20) /* bytes of a ClientCutText that are skipped; more is an error */
#define RFB_SCREENS_MAX 16         /* in one SetDesktopSize */

typedef struct {
    guint8 bits_per_pixel; /* 8, 16 or 32 */
    guint8 depth;
    gboolean big_endian;
    gboolean true_colour;
    guint16 red_max, green_max, blue_max;
    guint8 red_shift, green_shift, blue_shift;
} RfbPixelFormat;

/* The framebuffer's own format and what ServerInit offers: 32 bits, bytes B,G,R,X. */
extern const RfbPixelFormat rfb_native_format;

/* One parsed message: `type` is RFB_SET_PIXEL_FORMAT etc. of rfb.h. */
typedef struct {
    guint type;
    union {
        RfbPixelFormat format;
        struct {
            const gint32 *list; /* valid during the callback */
            guint count;
        } encodings;
        struct {
            gboolean incremental;
            guint x, y, width, height;
        } request;
        struct {
            gboolean pressed;
            guint32 keysym;
            guint32 code; /* QEMU key number; 0: none came along */
        } key;
        struct {
            guint32 mask; /* RFB buttons 1 .. 9 as bits 0 .. 8 */
            guint x, y;
        } pointer;
        struct {
            gboolean enable;
            guint x, y, width, height;
        } continuous;
        struct {
            guint32 flags;
            guint length;
            const guint8 *payload;
        } fence;
        struct {
            guint width, height;
            guint screens;
        } size;
    };
} RfbMessage;

typedef struct Messages Messages;
typedef void (*MessagesReceived)(const RfbMessage *message, gpointer data);

/* `received` is called for each whole message from within messages_feed(). Cut text is skipped without a
 * call. */
Messages *messages_new(MessagesReceived received, gpointer data);
void messages_free(Messages *messages);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Messages, messages_free)

/* From now on a pointer message with bit 7 set carries a further byte (ExtendedMouseButtons was
 * acknowledged). */
void messages_extend_pointer(Messages *messages);

/* Takes all bytes; keeps at most one unfinished message (about 1 KiB). NULL, or what is wrong (static text;
 * then nothing more may be fed). */
const char *messages_feed(Messages *messages, const guint8 *bytes, gsize length);
