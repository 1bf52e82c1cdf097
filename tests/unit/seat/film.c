/* The small recording, and a second way to draw it. */
#include "film.h"

#include <check.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void film_make(Film *film)
{
    *film = (Film){.header = {.width = FILM_WIDTH,
                              .height = FILM_HEIGHT,
                              .frames = FILM_FRAMES,
                              .interval_us = FILM_INTERVAL_US,
                              .ops = FILM_OPS,
                              .picture = G_STRUCT_OFFSET(Film, first)},
                   .frames = {{0, 2}, {2, 1}, {3, 1}},
                   .ops = {{0, 40, FILM_WIDTH, 2, 0, 0, RECORDING_PIXELS, G_STRUCT_OFFSET(Film, wide)},
                           {21, 33, 10, 7, 0, 0, RECORDING_PIXELS, G_STRUCT_OFFSET(Film, block)},
                           {13, 35, 60, 50, 10, 30, RECORDING_COPY, 0},
                           {5, 80, 10, 7, 0, 0, RECORDING_PIXELS, G_STRUCT_OFFSET(Film, block)}}};
    memcpy(film->header.magic, RECORDING_MAGIC, sizeof film->header.magic);
    for (guint i = 0; i < G_N_ELEMENTS(film->first); i++)
        film->first[i] = i * 2654435761u & 0xffffff;
    for (guint i = 0; i < G_N_ELEMENTS(film->wide); i++)
        film->wide[i] = 0x100000 + i;
    for (guint i = 0; i < G_N_ELEMENTS(film->block); i++)
        film->block[i] = 0x200000 + i;
}

static void expect_op(const Film *film, const RecordingOp *op, guint32 *pixels)
{
    g_autofree guint32 *before = g_memdup2(pixels, sizeof film->first);
    const guint32 *stored = (const guint32 *)(const void *)((const guint8 *)film + op->pixels);
    for (guint y = 0; y < op->height; y++)
        for (guint x = 0; x < op->width; x++)
            pixels[(op->y + y) * FILM_WIDTH + op->x + x] =
                op->kind == RECORDING_COPY ? before[(op->from_y + y) * FILM_WIDTH + op->from_x + x]
                                           : stored[y * op->width + x];
}

void film_expect(const Film *film, guint frame, guint32 *pixels)
{
    memcpy(pixels, film->first, sizeof film->first);
    for (guint i = 0; i <= frame; i++)
        for (guint j = 0; j < film->frames[i].count; j++)
            expect_op(film, &film->ops[film->frames[i].first + j], pixels);
}

int film_open(const Film *film, gsize length)
{
    int fd = memfd_create("film", MFD_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pwrite(fd, film, length, 0), (gssize)length);
    return fd;
}

#define SCREEN_WIDTH 640
#define SCREEN_HEIGHT 480
#define BLOCKS 4
#define BLOCK (FILM_REGION_WIDTH * FILM_REGION_HEIGHT)

static void append_block(GByteArray *file, guint number)
{
    g_autofree guint32 *block = g_new(guint32, BLOCK);
    for (guint y = 0; y < FILM_REGION_HEIGHT; y++)
        for (guint x = 0; x < FILM_REGION_WIDTH; x++)
            block[y * FILM_REGION_WIDTH + x] = 0x010203u * ((x * 3 + y * 5 + number * 16) & 63);
    g_byte_array_append(file, (const guint8 *)block, BLOCK * 4);
}

int film_moving(guint moving, guint still)
{
    g_autoptr(GByteArray) file = g_byte_array_new();
    g_autofree guint32 *screen = g_new0(guint32, SCREEN_WIDTH * SCREEN_HEIGHT);
    gsize tables =
        sizeof(RecordingHeader) + (moving + still) * sizeof(RecordingFrame) + moving * sizeof(RecordingOp);
    RecordingHeader header = {.width = SCREEN_WIDTH,
                              .height = SCREEN_HEIGHT,
                              .frames = moving + still,
                              .interval_us = 30000,
                              .ops = moving,
                              .picture = tables};
    gsize blocks = tables + SCREEN_WIDTH * SCREEN_HEIGHT * 4;

    memcpy(header.magic, RECORDING_MAGIC, sizeof header.magic);
    g_byte_array_append(file, (const guint8 *)&header, sizeof header);
    for (guint i = 0; i < moving + still; i++) {
        RecordingFrame frame = {MIN(i, moving), i < moving};
        g_byte_array_append(file, (const guint8 *)&frame, sizeof frame);
    }
    for (guint i = 0; i < moving; i++) {
        RecordingOp op = {.x = FILM_REGION_X,
                          .y = FILM_REGION_Y,
                          .width = FILM_REGION_WIDTH,
                          .height = FILM_REGION_HEIGHT,
                          .kind = RECORDING_PIXELS,
                          .pixels = blocks + (gsize)(i % BLOCKS) * BLOCK * 4};
        g_byte_array_append(file, (const guint8 *)&op, sizeof op);
    }
    g_byte_array_append(file, (const guint8 *)screen, SCREEN_WIDTH * SCREEN_HEIGHT * 4);
    for (guint i = 0; i < BLOCKS; i++)
        append_block(file, i);
    int fd = memfd_create("film", MFD_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pwrite(fd, file->data, file->len, 0), (gssize)file->len);
    return fd;
}
