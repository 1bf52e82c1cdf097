/* A small PNG of the screen, for the web page's tiles. */
#pragma once

#include <gio/gio.h>

#define THUMBNAIL_MAX 1024 /* px, each way */

/* Scales width x height px of XRGB8888 (`stride` bytes a row) down to fit max_width x max_height (at most
 * THUMBNAIL_MAX), never up, and writes a PNG into a sealed memfd. Returns it (owned by the caller) with its
 * bytes in *length and the picture's size in *out_width, *out_height; -1 with error set. */
int thumbnail_new(const void *pixels, guint width, guint height, gsize stride, guint max_width,
                  guint max_height, guint *out_width, guint *out_height, gsize *length, GError **error);
