#include "session/rdp/gfx_channel.h"

#include "encoder/bulk.h"

#include <freerdp/channels/rdpgfx.h>
#include <freerdp/channels/wtsvc.h>
#include <winpr/error.h>
#include <winpr/wtsapi.h>

#define RECEIVED_MAX 131072 /* bytes; the longest that a client may say is an offer of 5,462 cache entries   \
                             */
#define PACKED_KEPT (128 * 1024)

struct GfxChannel {
    HANDLE channel, event;
    gboolean ready; /* the client has created it */
    GByteArray *received, *packed;
    Bulk *bulk;
};

/* What FreeRDP calls the number of its channel manager. */
static gboolean session_of(HANDLE channels, DWORD *session)
{
    LPSTR answer = NULL;
    DWORD length = 0;

    if (!WTSQuerySessionInformationA(channels, WTS_CURRENT_SESSION, WTSSessionId, &answer, &length))
        return FALSE;
    *session = *(const DWORD *)(const void *)answer;
    WTSFreeMemory(answer);
    return TRUE;
}

/* Into `value`, of that size. */
static gboolean query(HANDLE channel, WTS_VIRTUAL_CLASS what, gpointer value, DWORD size)
{
    void *answer = NULL;
    DWORD length = 0;
    gboolean done =
        WTSVirtualChannelQuery(channel, what, &answer, &length) && answer != NULL && length >= size;

    if (done)
        memcpy(value, answer, size);
    WTSFreeMemory(answer);
    return done;
}

GfxChannel *gfx_channel_open(HANDLE channels)
{
    DWORD session;

    if (!session_of(channels, &session))
        return NULL;
    HANDLE opened =
        WTSVirtualChannelOpenEx(session, (LPSTR)RDPGFX_DVC_CHANNEL_NAME, WTS_CHANNEL_OPTION_DYNAMIC);
    if (!opened)
        return NULL;
    GfxChannel *channel = g_new0(GfxChannel, 1);
    channel->channel = opened;
    channel->received = g_byte_array_new();
    channel->packed = g_byte_array_new();
    channel->bulk = bulk_new();
    if (!query(opened, WTSVirtualEventHandle, &channel->event, sizeof channel->event)) {
        gfx_channel_free(channel);
        return NULL;
    }
    return channel;
}

void gfx_channel_free(GfxChannel *channel)
{
    if (!channel)
        return;
    WTSVirtualChannelClose(channel->channel);
    g_byte_array_unref(channel->received);
    g_byte_array_unref(channel->packed);
    bulk_free(channel->bulk);
    g_free(channel);
}

guint32 gfx_channel_id(const GfxChannel *channel)
{
    return WTSChannelGetIdByHandle(channel->channel);
}

HANDLE gfx_channel_event(const GfxChannel *channel)
{
    return channel->event;
}

/* FreeRDP reads a message of a channel only once the client has created it. */
static gboolean is_ready(GfxChannel *channel)
{
    BOOL ready = FALSE;

    if (!channel->ready)
        channel->ready = query(channel->channel, WTSVirtualChannelReady, &ready, sizeof ready) && ready;
    return channel->ready;
}

gboolean gfx_channel_receive(GfxChannel *channel, const guint8 **bytes, gsize *length)
{
    ULONG waiting = 0, read = 0;

    *bytes = NULL;
    if (!is_ready(channel))
        return TRUE;
    SetLastError(ERROR_SUCCESS);
    if (!WTSVirtualChannelRead(channel->channel, 0, NULL, 0, &waiting))
        return GetLastError() == ERROR_NO_DATA; /* else what FreeRDP has queued is the end */
    if (waiting > RECEIVED_MAX)
        return FALSE;
    g_byte_array_set_size(channel->received, (guint)MAX(waiting, 1));
    if (!WTSVirtualChannelRead(channel->channel, 0, (PCHAR)channel->received->data, channel->received->len,
                               &read))
        return FALSE;
    *bytes = channel->received->data;
    *length = read;
    return TRUE;
}

gsize gfx_channel_send(GfxChannel *channel, GfxBlock *block)
{
    GByteArray *packed = channel->packed;
    ULONG written = 0;

    g_byte_array_set_size(packed, (guint)bulk_size_max(block->bytes->len));
    gsize length =
        bulk_encode(channel->bulk, block->bytes->data, block->bytes->len,
                    (const BulkRange *)(const void *)block->packed->data, block->packed->len, packed->data);
    gboolean done = WTSVirtualChannelWrite(channel->channel, (PCHAR)packed->data, (ULONG)length, &written) &&
                    written == length;
    gfx_block_empty(block);
    if (packed->len > PACKED_KEPT) {
        g_byte_array_unref(packed);
        channel->packed = g_byte_array_new();
    }
    return done ? length : 0;
}
