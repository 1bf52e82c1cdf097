/* FreeRDP's RemoteFX encoder behind our own interface. */
#include "session/rdp/remotefx.h"

#include <freerdp/codec/color.h>
#include <freerdp/codec/rfx.h>
#include <freerdp/settings.h>

struct RemoteFx {
    RFX_CONTEXT *context;
    wStream *message;
};

RemoteFx *remotefx_new(void)
{
    RFX_CONTEXT *context = rfx_context_new_ex(TRUE, THREADING_FLAGS_DISABLE_THREADS);
    wStream *message = Stream_New(NULL, 65536);

    if (!context || !message) {
        if (context)
            rfx_context_free(context);
        if (message)
            Stream_Free(message, TRUE);
        return NULL;
    }
    rfx_context_set_pixel_format(context, PIXEL_FORMAT_BGRX32);
    rfx_context_set_mode(context, RLGR3);
    RemoteFx *fx = g_new0(RemoteFx, 1);
    *fx = (RemoteFx){context, message};
    return fx;
}

void remotefx_free(RemoteFx *fx)
{
    if (!fx)
        return;
    rfx_context_free(fx->context);
    Stream_Free(fx->message, TRUE);
    g_free(fx);
}

const guint8 *remotefx_encode(RemoteFx *fx, const guint8 *pixels, gsize stride, guint width, guint height,
                              gsize *length)
{
    RFX_RECT all = {0, 0, (UINT16)width, (UINT16)height};

    /* Anew each time: then the message has its own headers, whatever the client has forgotten. */
    Stream_SetPosition(fx->message, 0);
    if (!rfx_context_reset(fx->context, width, height) ||
        !rfx_compose_message(fx->context, fx->message, &all, 1, pixels, width, height, (UINT32)stride))
        return NULL;
    *length = Stream_GetPosition(fx->message);
    return Stream_Buffer(fx->message);
}
