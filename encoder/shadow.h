/* The seat's one true copy of the screen, in shared memory that clients can read and never write. Layout:
 * SeatBuffer in base/proto/seat_link.h. */
#pragma once

#include "encoder/compare.h"
#include "encoder/damage.h"
#include "encoder/forecast.h"
#include "encoder/undo.h"

#include <gio/gio.h>

typedef struct Shadow Shadow;

/* A black shadow of width x height px (1 .. SEAT_WIDTH_MAX). Its descriptor is sealed against writing,
 * growing and shrinking for everyone but this mapping: it needs no reopening and so works in a process that
 * may not open files. NULL with error set when memory cannot be had. */
Shadow *shadow_new(guint width, guint height, guint32 generation, GError **error);
void shadow_free(Shadow *shadow);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Shadow, shadow_free)

/* What SEAT_BUFFER says about it (header.type, size and generation filled in). Borrowed. */
const SeatBuffer *shadow_layout(const Shadow *shadow);
/* To be sent to clients; stays owned by the shadow. */
int shadow_fd(const Shadow *shadow);
const guint8 *shadow_pixels(const Shadow *shadow);

/* To be called before a picture is brought up to date: from here on a reader may see the next pass. Returns
 * its number, from 1 on; shadow_passes(): the last one. */
guint64 shadow_begin_pass(Shadow *shadow);
guint64 shadow_passes(const Shadow *shadow);

/* Compares and copies one rectangle (px, clipped) from `source`, the picture's first pixel, XRGB8888,
 * `stride` bytes a row, in one pass: `source` may change meanwhile. What differed is added to `changed` (same
 * size). One thread only. */
void shadow_update(Shadow *shadow, const SeatRect *rect, const void *source, gsize stride, Damage *changed);

/* From now on each row of a tile that shadow_update() changes is first kept in `undo` (of the shadow's size
 * and stride; borrowed, must outlive this), until that is cleared. NULL: nothing is kept. */
void shadow_keep_in(Shadow *shadow, Undo *undo);

/* From now on shadow_update() notes in the forecast which rows have moved, while that is open, and strikes
 * out which it writes later. Borrowed. NULL: none. */
void shadow_watch(Shadow *shadow, Forecast *forecast);

/* For tests and benchmarks: a variant other than the one that this machine runs best. */
void shadow_compare_with(Shadow *shadow, CompareTile *compare);

/* Makes an anonymous file of `size` bytes, maps it here for writing and seals it for everyone else. Returns
 * the descriptor and the mapping in *memory, or -1 with error set. */
int sealed_memory_new(const char *name, gsize size, void **memory, GError **error);
