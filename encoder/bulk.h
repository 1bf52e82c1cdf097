/* An encoder of RDP 8.0 bulk compression ([MS-RDPEGFX] 3.1.9.1), in which the graphics pipeline's messages
 * travel: lossless, with what the client's decoder remembers of all messages before. Whoever sends its
 * messages sends all of them, in their order. One for each graphics channel, on any one thread. It allocates
 * only when it is made, less than 180 KiB, of which 40 KiB are for the search; of the rest it touches what it
 * was given.
 */
#pragma once

#include <glib.h>

typedef struct Bulk Bulk;

/* Bytes that are as small as they get (H.264): they are not searched but sent as they are. */
typedef struct {
    gsize at, length;
} BulkRange;

/* For a decoder that remembers nothing yet. */
Bulk *bulk_new(void);
void bulk_free(Bulk *bulk);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Bulk, bulk_free)

/* Bytes that bulk_encode() may touch for `length` bytes. */
gsize bulk_size_max(gsize length);

/* Encodes `length` bytes (below 4 GB) as one RDP_SEGMENTED_DATA (2.2.5.1) into `out`, bulk_size_max(length)
 * bytes. The ranges lie within them, in their order, and do not overlap. It must reach the decoder. Returns
 * the number of bytes: at most 2 more than `length`, of more than 65535 bytes 7 more and 5 for each 65535
 * begun; 3 for none. */
gsize bulk_encode(Bulk *bulk, const guint8 *data, gsize length, const BulkRange *dense, guint n_dense,
                  guint8 *out);
