/* A picture cut into rows of one colour and, between them, pieces that stand apart from each other: lines of
 * text and what else there is. Pure.
 */
#pragma once

#include <glib.h>

#define CLEAR_WIDTH_MAX 512 /* px */
#define CLEAR_HEIGHT_MAX 64 /* px */
#define CLEAR_PIECES_MAX 128

/* XRGB8888 with X = 0, `width` pixels a row. */
typedef struct {
    guint width, height;
    guint32 pixels[CLEAR_WIDTH_MAX * CLEAR_HEIGHT_MAX];
} ClearPicture;

typedef enum {
    CLEAR_RUNS, /* in the residual layer */
    CLEAR_BANDS,
    CLEAR_RLEX,
    CLEAR_RAW,
} ClearCoding;

typedef struct {
    guint x, y, width, height; /* px */
    guint32 background;        /* of the rows in which it stands */
    ClearCoding coding;
    gsize at, length; /* of its bytes, with CLEAR_RLEX */
    guint column;     /* the first of its columns, with CLEAR_BANDS */
} ClearPiece;

typedef struct {
    guint n;
    ClearPiece pieces[CLEAR_PIECES_MAX];  /* by row, then from left to right; none overlaps another */
    guint32 background[CLEAR_HEIGHT_MAX]; /* of a row: of all its pixels that are in no piece */
} ClearPieces;

void clear_pieces_cut(const ClearPicture *picture, ClearPieces *pieces);

/* Cuts the piece in two, side by side; FALSE when it is too narrow or there are too many. */
gboolean clear_pieces_halve(ClearPieces *pieces, guint piece);
