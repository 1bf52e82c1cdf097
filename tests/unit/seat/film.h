/* A small recording made by a test: 128 x 96 px, three frames, all kinds of operations. */
#pragma once

#include "base/proto/recording.h"

#include <glib.h>

#define FILM_WIDTH 128
#define FILM_HEIGHT 96
#define FILM_FRAMES 3
#define FILM_OPS 4
#define FILM_INTERVAL_US 20000

typedef struct {
    RecordingHeader header;
    RecordingFrame frames[FILM_FRAMES];
    RecordingOp ops[FILM_OPS];
    guint32 first[FILM_WIDTH * FILM_HEIGHT], wide[FILM_WIDTH * 2], block[10 * 7];
} Film;

/* Frame 0 draws two whole rows and a block, frame 1 moves an area onto a part of itself, frame 2 draws
 * nothing but the block again. */
void film_make(Film *film);
/* What `pixels` look like after that frame, drawn in another way than the seat does. */
void film_expect(const Film *film, guint frame, guint32 *pixels);
/* Its file, open for reading and writing. */
int film_open(const Film *film, gsize length);

/* Another one, 640 x 480 px: picture-like, in a part of a plain screen, `moving` frames of 30 ms and then
 * `still` ones in which nothing is drawn. Returns its file. */
#define FILM_REGION_X 128
#define FILM_REGION_Y 64
#define FILM_REGION_WIDTH 256
#define FILM_REGION_HEIGHT 192
int film_moving(guint moving, guint still);
