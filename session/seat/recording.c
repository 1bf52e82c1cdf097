/* The recording's checks and its drawing. */
#include "session/seat/recording.h"

#include <errno.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define ROWS_AT_ONCE 256 /* of an area narrower than the picture */

G_STATIC_ASSERT(sizeof(RecordingHeader) == 40 && sizeof(RecordingFrame) == 8 && sizeof(RecordingOp) == 24);
G_STATIC_ASSERT(G_BYTE_ORDER == G_LITTLE_ENDIAN);

struct Recording {
    int fd;
    guint64 size; /* bytes, when it was opened */
    RecordingHeader header;
    RecordingFrame *frames;
    RecordingOp *ops;
};

static gboolean fail(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static gboolean fail(GError **error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "The recording cannot be played: %s.", text);
    return FALSE;
}

/* ---- reading ---- */

/* Fills the whole vector, whose parts are used up on the way. */
static gboolean read_vector(const Recording *self, struct iovec *parts, int count, guint64 offset,
                            GError **error)
{
    while (count > 0) {
        ssize_t got = preadv(self->fd, parts, count, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return fail(error, "%s", got < 0 ? g_strerror(errno) : "it ends too early");
        offset += (guint64)got;
        for (; count > 0 && (gsize)got >= parts->iov_len; parts++, count--)
            got -= (ssize_t)parts->iov_len;
        if (count > 0) {
            parts->iov_base = (guint8 *)parts->iov_base + got;
            parts->iov_len -= (gsize)got;
        }
    }
    return TRUE;
}

static gboolean read_block(const Recording *self, void *bytes, gsize length, guint64 offset, GError **error)
{
    struct iovec part = {bytes, length};
    return length == 0 || read_vector(self, &part, 1, offset, error);
}

/* ---- checks ---- */

static gboolean inside(const Recording *self, guint64 offset, guint64 length)
{
    return offset <= self->size && length <= self->size - offset;
}

static gboolean area_is_inside(const Recording *self, guint x, guint y, guint width, guint height)
{
    return x + width <= self->header.width && y + height <= self->header.height;
}

static gboolean check_header(const Recording *self, GError **error)
{
    const RecordingHeader *header = &self->header;
    if (memcmp(header->magic, RECORDING_MAGIC, sizeof header->magic) != 0)
        return fail(error, "the file is none, or of another version");
    if (header->width < SEAT_WIDTH_MIN || header->width > SEAT_WIDTH_MAX || header->height < SEAT_WIDTH_MIN ||
        header->height > SEAT_WIDTH_MAX)
        return fail(error, "it is %u x %u pixels large", header->width, header->height);
    if (header->frames < 1 || header->frames > RECORDING_FRAMES_MAX)
        return fail(error, "it has %u frames", header->frames);
    if (header->interval_us < RECORDING_INTERVAL_MIN_US || header->interval_us > RECORDING_INTERVAL_MAX_US)
        return fail(error, "its frames are %u microseconds apart", header->interval_us);
    if (header->ops > RECORDING_ALL_OPS_MAX)
        return fail(error, "it has %u operations", header->ops);
    if (!inside(self, header->picture, (guint64)header->width * header->height * 4))
        return fail(error, "it ends too early");
    return TRUE;
}

static gboolean check_op(const Recording *self, const RecordingOp *op)
{
    if (op->width == 0 || op->height == 0 || !area_is_inside(self, op->x, op->y, op->width, op->height))
        return FALSE;
    if (op->kind == RECORDING_COPY)
        return area_is_inside(self, op->from_x, op->from_y, op->width, op->height);
    return op->kind == RECORDING_PIXELS && inside(self, op->pixels, (guint64)op->width * op->height * 4);
}

static gboolean read_tables(Recording *self, GError **error)
{
    const RecordingHeader *header = &self->header;
    guint64 frames = sizeof *header, ops = frames + header->frames * sizeof(RecordingFrame);

    self->frames = g_new(RecordingFrame, header->frames);
    self->ops = g_new(RecordingOp, MAX(header->ops, 1));
    if (!read_block(self, self->frames, header->frames * sizeof(RecordingFrame), frames, error) ||
        !read_block(self, self->ops, header->ops * sizeof(RecordingOp), ops, error))
        return FALSE;
    for (guint i = 0; i < header->frames; i++) {
        const RecordingFrame *frame = &self->frames[i];
        if (frame->count > RECORDING_OPS_MAX || frame->first > header->ops ||
            frame->count > header->ops - frame->first)
            return fail(error, "the operations of frame %u are wrong", i);
    }
    for (guint i = 0; i < header->ops; i++)
        if (!check_op(self, &self->ops[i]))
            return fail(error, "operation %u is wrong", i);
    return TRUE;
}

Recording *recording_new(int fd, GError **error)
{
    g_autoptr(Recording) self = g_new0(Recording, 1);
    struct stat info;

    self->fd = fd;
    if (fd < 0) {
        fail(error, "there is none");
        return NULL;
    }
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        fail(error, "it is no ordinary file");
        return NULL;
    }
    self->size = (guint64)info.st_size;
    if (!read_block(self, &self->header, sizeof self->header, 0, error) || !check_header(self, error) ||
        !read_tables(self, error))
        return NULL;
    return g_steal_pointer(&self);
}

void recording_free(Recording *self)
{
    if (!self)
        return;
    if (self->fd >= 0)
        close(self->fd);
    g_free(self->frames);
    g_free(self->ops);
    g_free(self);
}

const RecordingHeader *recording_header(const Recording *self)
{
    return &self->header;
}

/* ---- drawing ---- */

gboolean recording_first(const Recording *self, guint32 *pixels, GError **error)
{
    return read_block(self, pixels, (gsize)self->header.width * self->header.height * 4, self->header.picture,
                      error);
}

static gboolean draw_pixels(const Recording *self, const RecordingOp *op, guint32 *pixels, GError **error)
{
    guint32 *to = pixels + (gsize)op->y * self->header.width + op->x;
    struct iovec rows[ROWS_AT_ONCE];

    if (op->width == self->header.width)
        return read_block(self, to, (gsize)op->width * op->height * 4, op->pixels, error);
    for (guint done = 0; done < op->height;) {
        guint count = MIN(ROWS_AT_ONCE, op->height - done);
        for (guint i = 0; i < count; i++)
            rows[i] = (struct iovec){to + (gsize)(done + i) * self->header.width, op->width * 4u};
        if (!read_vector(self, rows, (int)count, op->pixels + (guint64)done * op->width * 4, error))
            return FALSE;
        done += count;
    }
    return TRUE;
}

/* Rows in the order in which none is overwritten before it is read. */
static void draw_copy(const Recording *self, const RecordingOp *op, guint32 *pixels)
{
    gsize stride = self->header.width;
    const guint32 *from = pixels + op->from_y * stride + op->from_x;
    guint32 *to = pixels + op->y * stride + op->x;
    for (guint i = 0; i < op->height; i++) {
        gsize row = op->y > op->from_y ? op->height - 1 - i : i;
        memmove(to + row * stride, from + row * stride, op->width * 4u);
    }
}

gboolean recording_draw(const Recording *self, guint frame, guint32 *pixels,
                        SeatRect rects[RECORDING_OPS_MAX], guint *count, GError **error)
{
    g_return_val_if_fail(frame < self->header.frames, FALSE);
    const RecordingFrame *which = &self->frames[frame];

    for (guint i = 0; i < which->count; i++) {
        const RecordingOp *op = &self->ops[which->first + i];
        if (op->kind == RECORDING_COPY)
            draw_copy(self, op, pixels);
        else if (!draw_pixels(self, op, pixels, error))
            return FALSE;
        rects[i] = (SeatRect){.x = op->x, .y = op->y, .width = op->width, .height = op->height};
    }
    *count = which->count;
    return TRUE;
}
