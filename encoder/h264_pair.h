/* The H.264 stream of a screen or a part of it, with or without the auxiliary view that AVC444 clients show
 * coloured detail with. That view goes along only with pictures that have changed where such detail is. */
#pragma once

#include "encoder/h264.h"

typedef struct H264Pair H264Pair;

/* A picture's access units; everything is valid during the call only. */
typedef struct {
    const guint8 *main, *auxiliary; /* auxiliary: NULL when there is none */
    gsize main_length, auxiliary_length;
    /* With an auxiliary unit: the tiles of AUXILIARY_TILE px that are to be shown with it, one bit each, row
     * by row, the lowest bit first, each row from a whole byte on. */
    const guint8 *tiles;
    gsize tiles_length;
    gboolean keyframe;
} H264Units;

typedef struct {
    void (*units)(const H264Units *units, gpointer data);
    /* As in H264Events. */
    void (*failed)(const char *reason, gpointer data);
} H264PairEvents;

/* As h264_encoder_new(). `chroma`: an auxiliary view may be wanted; how h264_pair_set_chroma() begins. */
H264Pair *h264_pair_new(const EncoderCandidate *candidate, guint width, guint height, gboolean chroma,
                        const H264PairEvents *events, gpointer data, GError **error);
void h264_pair_free(H264Pair *pair);
void h264_pair_set_patience(H264Pair *pair, guint ms);
/* The ceiling for both views together. */
void h264_pair_set_bitrate(H264Pair *pair, guint kbit_s);

/* From the next picture on. FALSE: wanted, but this pair was made without; a new one is needed. An encoder
 * that cannot make a pair just never gives an auxiliary view. */
gboolean h264_pair_set_chroma(H264Pair *pair, gboolean chroma);

/* As h264_encode(). */
void h264_pair_encode(H264Pair *pair, const void *pixels, gsize stride, const SeatRect *rects, guint count,
                      gboolean keyframe);
gboolean h264_pair_busy(const H264Pair *pair);

/* Bytes of a row of H264Units.tiles for a picture of that width (px). */
gsize h264_tiles_stride(guint width);
