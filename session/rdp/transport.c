/* Between FreeRDP's parsers and its transport, where every PDU passes: some are repaired, one is left out,
 * and those of a frame are written together, in as few TLS records and system calls as they need. */
#include "session/rdp/rdp.h"

#include "session/rdp/repair.h"

#include <freerdp/transport_io.h>
#include <winpr/stream.h>

#define GATHERED_MAX 65536 /* bytes; more is written, that the client may begin */

/* FreeRDP's defaults are one function for all connections. */
static pTransportRWFkt read_pdu, write_pdu;

static int on_read_pdu(rdpTransport *transport, wStream *s)
{
    int length = read_pdu(transport, s);
    if (length > 0) {
        length = (int)repair_pdu(Stream_Buffer(s), (gsize)length);
        Stream_SetLength(s, (size_t)length);
    }
    return length;
}

static gboolean write_gathered(Rdp *rdp)
{
    if (Stream_GetPosition(rdp->gathered) == 0)
        return TRUE;
    int status = write_pdu(freerdp_get_transport(&rdp->context->base), rdp->gathered);
    Stream_SetPosition(rdp->gathered, 0);
    return status >= 0;
}

static int gather(Rdp *rdp, wStream *s)
{
    gsize length = Stream_GetPosition(s);

    if (!Stream_EnsureRemainingCapacity(rdp->gathered, length))
        return -1;
    Stream_Write(rdp->gathered, Stream_Buffer(s), length);
    return Stream_GetPosition(rdp->gathered) < GATHERED_MAX || write_gathered(rdp) ? (int)length : -1;
}

/* FreeRDP says farewell in three PDUs: deactivation, reason, end. A client that is deactivated does not hear
 * the reason any more, so the first one is left out. */
static int on_write_pdu(rdpTransport *transport, wStream *s)
{
    Rdp *rdp = ((RdpContext *)transport_get_context(transport))->rdp;
    if (rdp && rdp->farewell) {
        rdp->farewell = FALSE;
        return (int)Stream_GetPosition(s);
    }
    return rdp && rdp->gathering ? gather(rdp, s) : write_pdu(transport, s);
}

gboolean rdp_transport_hook(Rdp *rdp)
{
    rdpTransportIo io = *freerdp_get_io_callbacks(&rdp->context->base);
    read_pdu = io.ReadPdu;
    write_pdu = io.WritePdu;
    io.ReadPdu = on_read_pdu;
    io.WritePdu = on_write_pdu;
    rdp->gathered = Stream_New(NULL, 4096);
    return rdp->gathered && freerdp_set_io_callbacks(&rdp->context->base, &io);
}

void rdp_transport_unhook(Rdp *rdp)
{
    if (rdp->gathered)
        Stream_Free(rdp->gathered, TRUE);
    rdp->gathered = NULL;
}

void rdp_transport_gather(Rdp *rdp)
{
    rdp->gathering = TRUE;
}

gboolean rdp_transport_write(Rdp *rdp)
{
    rdp->gathering = FALSE;
    return write_gathered(rdp);
}
