/* A recording's file: what a screen showed, frame by frame, to be played in a desktop's place. Little-endian;
 * made by tests/bench/peers/recording.py. A header, `frames` RecordingFrame, `ops` RecordingOp, then pixels
 * wherever the operations say: XRGB8888 (bytes B,G,R,X), row by row without gaps. After the last frame comes
 * frame 0 again. */
#pragma once

#include <stdint.h>

#define RECORDING_MAGIC "FWREC\0\0\1" /* the version is the last byte */
#define RECORDING_FRAMES_MAX 65536
#define RECORDING_OPS_MAX 64 /* of one frame */
#define RECORDING_ALL_OPS_MAX (1 << 19)
#define RECORDING_INTERVAL_MIN_US 1000
#define RECORDING_INTERVAL_MAX_US 60000000

typedef struct {
    char magic[8];
    uint32_t width, height; /* px */
    uint32_t frames;
    uint32_t interval_us; /* from one frame to the next */
    uint32_t ops;         /* of all frames */
    uint32_t reserved;
    uint64_t picture; /* offset of the whole picture that stands before frame 0 */
} RecordingHeader;

typedef struct {
    uint32_t first, count; /* operations, in the order in which they are done */
} RecordingFrame;

typedef enum { RECORDING_PIXELS = 1, RECORDING_COPY = 2 } RecordingKind;

typedef struct {
    uint16_t x, y, width, height; /* px: what is drawn */
    uint16_t from_x, from_y;      /* COPY: from where in the same picture; the areas may overlap */
    uint32_t kind;                /* RecordingKind */
    uint64_t pixels;              /* PIXELS: their offset */
} RecordingOp;
