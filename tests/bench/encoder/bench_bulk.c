/* bench_bulk RECORDING...: what RDP's bulk compression makes of the graphics pipeline's messages, in bytes
 * and time. Of each recording (as scripts/bench makes them) every frame is a message: what it draws, exactly,
 * in the codec that a client process chooses, and in others beside it, each through a bulk encoder of its
 * own. Also what libvncserver's ZRLE takes for the same. Prints figures, judges nothing. */
#include "encoder/bulk.h"
#include "encoder/clear.h"
#include "session/rdp/planar.h"
#include "session/seat/recording.h"
#include "session/vnc/pixels.h"
#include "session/vnc/rfb.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FRAMES 30 /* that draw */
#define START_FRAME 0x0b
#define END_FRAME 0x0c
#define WIRE_TO_SURFACE 0x01
#define CLEAR_SURE 3 /* as in gfx.c */
#define PHOTO 2      /* bytes a pixel, of ClearCodec and of planar, from which on it is left to bulk */

typedef enum { SHORTEST, CHOSEN, PLANAR, FOR_BULK, PLANES, XRGB, DENSE, FORMS } Form;

static const char *const names[FORMS] = {
    "shortest before bulk", "chosen for bulk", "planar", "planar for bulk",
    "planes as they are",   "XRGB as it is",   "dense"};

typedef struct {
    Bulk *bulk;
    GByteArray *message;
    gsize bytes, small; /* before and after */
    double ns;
} Line;

typedef struct {
    Recording *recording;
    const RecordingHeader *header;
    guint32 *picture;
    Clear *clear[2]; /* of the first two forms */
    Pixels *zrle;
    gsize zrle_bytes;
    double zrle_ns;
    guint frames;
    Line lines[FORMS];
} Bench;

static guint8 encoded[MAX(CLEAR_SIZE_MAX(CLEAR_WIDTH_MAX, CLEAR_HEIGHT_MAX), 4 * PLANAR_SIZE_MAX)];

static double cpu_ns(void)
{
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (double)used.tv_sec * 1e9 + (double)used.tv_nsec;
}

static void give_up(const char *what)
{
    fprintf(stderr, "bench_bulk: %s\n", what);
    exit(1);
}

/* ---- messages ([MS-RDPEGFX] 2.2.2) ---- */

static void put_number(GByteArray *message, guint value, guint bytes)
{
    value = GUINT32_TO_LE(value);
    g_byte_array_append(message, (const guint8 *)&value, bytes);
}

static void put_header(GByteArray *message, guint id, gsize body)
{
    put_number(message, id, 2);
    put_number(message, 0, 2);
    put_number(message, (guint)(8 + body), 4);
}

static void begin_frame(GByteArray *message, guint frame)
{
    g_byte_array_set_size(message, 0);
    put_header(message, START_FRAME, 8);
    put_number(message, 40000000 + 33 * frame, 4);
    put_number(message, frame, 4);
}

static void end_frame(GByteArray *message, guint frame)
{
    put_header(message, END_FRAME, 4);
    put_number(message, frame, 4);
}

static void put_pixels(GByteArray *message, guint codec, const SeatRect *rect, gsize length)
{
    put_header(message, WIRE_TO_SURFACE, 17 + length);
    put_number(message, 1, 2);
    put_number(message, codec, 2);
    put_number(message, 0x20, 1);
    put_number(message, rect->x, 2);
    put_number(message, rect->y, 2);
    put_number(message, rect->x + rect->width, 2);
    put_number(message, rect->y + rect->height, 2);
    put_number(message, (guint)length, 4);
    g_byte_array_append(message, encoded, (guint)length);
}

/* ---- forms of pixels ---- */

static gsize encode_xrgb(const guint8 *pixels, gsize stride, const SeatRect *rect)
{
    for (guint y = 0; y < rect->height; y++)
        memcpy(encoded + (gsize)y * rect->width * 4, pixels + y * stride, (gsize)rect->width * 4);
    return (gsize)rect->width * rect->height * 4;
}

static gsize encode_planes(const guint8 *pixels, gsize stride, const SeatRect *rect)
{
    guint8 *at = encoded;
    *at++ = 0x20;
    for (guint channel = 3; channel-- > 0;)
        for (guint y = 0; y < rect->height; y++)
            for (guint x = 0; x < rect->width; x++)
                *at++ = pixels[y * stride + 4 * (gsize)x + channel];
    *at++ = 0;
    return (gsize)(at - encoded);
}

static void put_part(Bench *bench, Form form, const SeatRect *part)
{
    GByteArray *message = bench->lines[form].message;
    gsize stride = bench->header->width * 4;
    const guint8 *pixels = (const guint8 *)bench->picture + part->y * stride + 4 * (gsize)part->x;
    guint width = part->width, height = part->height;

    if (form == XRGB) {
        put_pixels(message, 0x0000, part, encode_xrgb(pixels, stride, part));
        return;
    }
    if (form == PLANES) {
        put_pixels(message, 0x000a, part, encode_planes(pixels, stride, part));
        return;
    }
    if (form == PLANAR || form == FOR_BULK || form == DENSE) {
        PlanarFlags flags = form == FOR_BULK ? PLANAR_FOR_BULK : PLANAR_PLAIN;
        put_pixels(message, 0x000a, part, planar_encode(pixels, stride, width, height, flags, encoded));
        return;
    }
    Clear *clear = bench->clear[form];
    gsize area = (gsize)width * height, most = clear_measure(clear, pixels, stride, width, height);
    if (most > area / CLEAR_SURE) {
        gsize planar = planar_encode(pixels, stride, width, height, PLANAR_PLAIN, encoded);
        gboolean photo = form == CHOSEN && planar > PHOTO * area && most > PHOTO * area;
        if (photo)
            planar = planar_encode(pixels, stride, width, height, PLANAR_FOR_BULK, encoded);
        if (photo || planar <= most) {
            put_pixels(message, 0x000a, part, planar);
            return;
        }
    }
    put_pixels(message, 0x0008, part, clear_write(clear, encoded));
}

/* In the parts in which a client process sends it. */
static void put_rect(Bench *bench, Form form, const SeatRect *whole)
{
    for (guint y = 0; y < whole->height; y += PLANAR_HEIGHT_MAX)
        for (guint x = 0; x < whole->width; x += PLANAR_WIDTH_MAX) {
            SeatRect part = {whole->x + x, whole->y + y, MIN(PLANAR_WIDTH_MAX, whole->width - x),
                             MIN(PLANAR_HEIGHT_MAX, whole->height - y)};
            put_part(bench, form, &part);
        }
}

/* ---- */

static void measure_message(Line *line, gboolean dense)
{
    GByteArray *message = line->message;
    g_autofree guint8 *out = g_malloc(bulk_size_max(message->len));
    memset(out, 0, bulk_size_max(message->len)); /* pages that are there */
    BulkRange range = {MIN(message->len, 50), message->len - MIN(message->len, 50)};

    double start = cpu_ns();
    line->small += bulk_encode(line->bulk, message->data, message->len, &range, dense, out);
    line->ns += cpu_ns() - start;
    line->bytes += message->len;
}

static void measure_frame(Bench *bench, guint frame, const SeatRect *rects, guint count)
{
    for (Form form = 0; form < FORMS; form++) {
        Line *line = &bench->lines[form];
        begin_frame(line->message, frame);
        for (guint i = 0; i < count; i++)
            put_rect(bench, form, &rects[i]);
        end_frame(line->message, frame);
        measure_message(line, form == DENSE);
    }
    const ViewerPicture picture = {.width = bench->header->width,
                                   .height = bench->header->height,
                                   .stride = bench->header->width * 4,
                                   .pixels = (guint8 *)bench->picture};
    g_autoptr(GByteArray) out = g_byte_array_new();
    double start = cpu_ns();
    for (guint i = 0; i < count; i++) {
        guint n = 0;
        ViewerRect rect = {rects[i].x, rects[i].y, rects[i].width, rects[i].height};
        if (!pixels_encode(bench->zrle, &picture, &rect, FALSE, out, &n))
            give_up("ZRLE failed");
    }
    bench->zrle_ns += cpu_ns() - start;
    bench->zrle_bytes += out->len;
    bench->frames++;
}

static void print(const Bench *bench, const char *path)
{
    g_autofree char *name = g_path_get_basename(path);
    double frames = bench->frames;

    printf("%s, %u frames, bytes a frame; ZRLE %.0f in %.0f us\n", name, bench->frames,
           (double)bench->zrle_bytes / frames, bench->zrle_ns / frames / 1e3);
    for (Form form = 0; form < FORMS; form++) {
        const Line *line = &bench->lines[form];
        printf("  %-20s %9.0f -> %9.0f (%.2f; %.2f x ZRLE) %9.1f us a frame, %5.2f ns a byte\n", names[form],
               (double)line->bytes / frames, (double)line->small / frames,
               (double)line->small / (double)line->bytes, (double)line->small / (double)bench->zrle_bytes,
               line->ns / frames / 1e3, line->ns / (double)line->bytes);
    }
}

/* Drops what is a copy of other pixels: a client moves that itself. */
static guint keep_pixels(const Bench *bench, int fd, guint frame, SeatRect *rects, guint count)
{
    RecordingFrame entry;
    RecordingOp ops[RECORDING_OPS_MAX];
    off_t frames_at = sizeof(RecordingHeader),
          ops_at = frames_at + (off_t)(bench->header->frames * sizeof entry);
    guint kept = 0;

    if (pread(fd, &entry, sizeof entry, frames_at + (off_t)(frame * sizeof entry)) != sizeof entry ||
        pread(fd, ops, count * sizeof *ops, ops_at + (off_t)(entry.first * sizeof *ops)) !=
            (ssize_t)(count * sizeof *ops))
        give_up("the recording ends too early");
    for (guint i = 0; i < count; i++)
        if (ops[i].kind == RECORDING_PIXELS)
            rects[kept++] = rects[i];
    return kept;
}

static void play(Bench *bench, int fd, GError **error)
{
    for (guint frame = 0; frame < bench->header->frames && bench->frames < FRAMES; frame++) {
        SeatRect rects[RECORDING_OPS_MAX];
        guint count;
        if (!recording_draw(bench->recording, frame, bench->picture, rects, &count, error))
            give_up((*error)->message);
        count = keep_pixels(bench, fd, frame, rects, count);
        if (count > 0)
            measure_frame(bench, frame, rects, count);
    }
}

static void bench_recording(const char *path)
{
    g_autoptr(GError) error = NULL;
    Bench bench = {.clear = {clear_new(), clear_new()}};
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        give_up(g_strerror(errno));
    bench.recording = recording_new(dup(fd), &error);
    bench.zrle = pixels_new(NULL, &error);
    if (!bench.recording || !bench.zrle)
        give_up(error->message);
    pixels_set_encoding(bench.zrle, RFB_ENCODING_ZRLE, -1, -1, FALSE);
    bench.header = recording_header(bench.recording);
    bench.picture = g_new(guint32, (gsize)bench.header->width * bench.header->height);
    for (Form form = 0; form < FORMS; form++)
        bench.lines[form] = (Line){.bulk = bulk_new(), .message = g_byte_array_new()};
    if (!recording_first(bench.recording, bench.picture, &error))
        give_up(error->message);
    play(&bench, fd, &error);
    close(fd);
    print(&bench, path);
    for (Form form = 0; form < FORMS; form++) {
        bulk_free(bench.lines[form].bulk);
        g_byte_array_free(bench.lines[form].message, TRUE);
    }
    clear_free(bench.clear[0]);
    clear_free(bench.clear[1]);
    pixels_free(bench.zrle);
    recording_free(bench.recording);
    g_free(bench.picture);
}

int main(int argc, char *argv[])
{
    if (argc < 2)
        give_up("usage: bench_bulk RECORDING...");
    for (int i = 1; i < argc; i++)
        bench_recording(argv[i]);
    return 0;
}
