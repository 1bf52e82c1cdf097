/* XRGB8888 to planar YUV 4:2:0, full range BT.709: what RDP's decoders assume without looking
 * (MS-RDPEGFX 3.3.8.3.1) and what the stream's VUI tells everyone else. */
#pragma once

#include "base/proto/seat_link.h"

/* A picture's planes. For NV12 u points at the interleaved plane and v is u + 1, with chroma_step 2; else 1.
 */
typedef struct {
    guint8 *y, *u, *v;
    gsize y_stride, chroma_stride; /* bytes */
    guint chroma_step;             /* bytes from one chroma sample to the next */
    guint width, height;           /* px of the planes, even; may exceed the source's */
} YuvPicture;

/* Converts the part of `rect` (px; grown to even edges) of a source of width x height px, XRGB8888, `stride`
 * bytes a row. Where the planes are larger than the source the edge is repeated. */
void convert_rect(const YuvPicture *picture, const SeatRect *rect, const void *source, gsize stride,
                  guint width, guint height);

/* Plain C and vectors; all give the same bytes. convert_rect() takes the best. */
typedef enum { CONVERT_PLAIN, CONVERT_SSE2, CONVERT_AVX2, CONVERT_VARIANTS } ConvertVariant;
/* Whether this machine has it; CONVERT_PLAIN is everywhere. */
gboolean convert_has(ConvertVariant variant);
ConvertVariant convert_best(void);
const char *convert_name(ConvertVariant variant);
/* As convert_rect(), by one that this machine has. */
void convert_rect_as(ConvertVariant variant, const YuvPicture *picture, const SeatRect *rect,
                     const void *source, gsize stride, guint width, guint height);
