// DRM mode setting by plain ioctls, so that the static program needs no library. See drm-kms(7).
#include "guest/tiny/display.h"

#include <drm.h>
#include <drm_mode.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

enum { OBJECTS_MAX = 16, MODES_MAX = 128, BUFFERS = 2 };

struct buffer {
    uint32_t handle, framebuffer, stride;
    uint64_t size;
    void *pixels;
};

struct display {
    int fd;
    uint32_t crtc, connector;
    struct drm_mode_modeinfo mode;
    struct buffer buffers[BUFFERS];
    int front, back; // the buffer shown and the one drawn into; the same one unless pages are flipped
    struct buffer cursor;
};

// Repeats an ioctl that a signal interrupted; returns 0 or -1 with errno.
static int control(int fd, unsigned long request, void *argument)
{
    int result;
    do
        result = ioctl(fd, request, argument);
    while (result < 0 && (errno == EINTR || errno == EAGAIN));
    return result;
}

static bool buffer_create(int fd, struct buffer *buffer, uint32_t width, uint32_t height)
{
    struct drm_mode_create_dumb create = {.width = width, .height = height, .bpp = 32};
    if (control(fd, DRM_IOCTL_MODE_CREATE_DUMB, &create))
        return false;
    *buffer = (struct buffer){.handle = create.handle, .stride = create.pitch, .size = create.size};
    struct drm_mode_map_dumb map = {.handle = create.handle};
    if (control(fd, DRM_IOCTL_MODE_MAP_DUMB, &map))
        return false;
    buffer->pixels = mmap(NULL, buffer->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)map.offset);
    if (buffer->pixels == MAP_FAILED)
        buffer->pixels = NULL;
    return buffer->pixels != NULL;
}

static bool buffer_show_as_framebuffer(int fd, struct buffer *buffer, uint32_t width, uint32_t height)
{
    struct drm_mode_fb_cmd add = {.width = width,
                                  .height = height,
                                  .pitch = buffer->stride,
                                  .bpp = 32,
                                  .depth = 24,
                                  .handle = buffer->handle};
    if (control(fd, DRM_IOCTL_MODE_ADDFB, &add))
        return false;
    buffer->framebuffer = add.fb_id;
    return true;
}

static void buffer_destroy(int fd, struct buffer *buffer)
{
    if (buffer->framebuffer)
        control(fd, DRM_IOCTL_MODE_RMFB, &buffer->framebuffer);
    if (buffer->pixels)
        munmap(buffer->pixels, buffer->size);
    if (buffer->handle) {
        struct drm_mode_destroy_dumb destroy = {.handle = buffer->handle};
        control(fd, DRM_IOCTL_MODE_DESTROY_DUMB, &destroy);
    }
    memset(buffer, 0, sizeof *buffer);
}

// Probes a connector; true and its preferred mode when something is connected.
static bool connector_preferred(int fd, uint32_t connector, struct drm_mode_modeinfo *preferred)
{
    static struct drm_mode_modeinfo modes[MODES_MAX];
    struct drm_mode_get_connector get = {.connector_id = connector};
    if (control(fd, DRM_IOCTL_MODE_GETCONNECTOR, &get)) // no room for modes: the kernel probes
        return false;
    if (get.connection != 1 || get.count_modes == 0)
        return false;
    uint32_t count = get.count_modes < MODES_MAX ? get.count_modes : MODES_MAX;
    get = (struct drm_mode_get_connector){
        .connector_id = connector, .count_modes = count, .modes_ptr = (uintptr_t)modes};
    if (control(fd, DRM_IOCTL_MODE_GETCONNECTOR, &get) || get.count_modes > count)
        return false;
    *preferred = modes[0];
    for (uint32_t i = 0; i < get.count_modes; i++) {
        if (modes[i].type & DRM_MODE_TYPE_PREFERRED) {
            *preferred = modes[i];
            break;
        }
    }
    return true;
}

static bool display_set_mode(struct display *display, const struct drm_mode_modeinfo *mode)
{
    struct buffer fresh[BUFFERS] = {0};
    for (int i = 0; i < BUFFERS; i++) {
        if (!buffer_create(display->fd, &fresh[i], mode->hdisplay, mode->vdisplay) ||
            !buffer_show_as_framebuffer(display->fd, &fresh[i], mode->hdisplay, mode->vdisplay)) {
            perror("testcard: framebuffer");
            for (int k = 0; k <= i; k++)
                buffer_destroy(display->fd, &fresh[k]);
            return false;
        }
    }
    struct drm_mode_crtc set = {.crtc_id = display->crtc,
                                .fb_id = fresh[0].framebuffer,
                                .set_connectors_ptr = (uintptr_t)&display->connector,
                                .count_connectors = 1,
                                .mode_valid = 1,
                                .mode = *mode};
    if (control(display->fd, DRM_IOCTL_MODE_SETCRTC, &set)) {
        perror("testcard: mode");
        for (int i = 0; i < BUFFERS; i++)
            buffer_destroy(display->fd, &fresh[i]);
        return false;
    }
    for (int i = 0; i < BUFFERS; i++)
        buffer_destroy(display->fd, &display->buffers[i]);
    memcpy(display->buffers, fresh, sizeof fresh);
    display->mode = *mode;
    display->front = display->back = 0;
    return true;
}

// A card without cursor plane (standard VGA) answers ENXIO; the guest then simply has no cursor shape.
static void display_show_cursor(struct display *display)
{
    if (!buffer_create(display->fd, &display->cursor, TESTCARD_CURSOR, TESTCARD_CURSOR))
        return;
    testcard_cursor(display->cursor.pixels);
    struct drm_mode_cursor2 cursor = {.flags = DRM_MODE_CURSOR_BO,
                                      .crtc_id = display->crtc,
                                      .width = TESTCARD_CURSOR,
                                      .height = TESTCARD_CURSOR,
                                      .handle = display->cursor.handle};
    if (control(display->fd, DRM_IOCTL_MODE_CURSOR2, &cursor))
        perror("testcard: cursor");
}

struct display *display_open(void)
{
    static struct display display;
    display.fd = open("/dev/dri/card0", O_RDWR | O_CLOEXEC);
    if (display.fd < 0) {
        perror("testcard: /dev/dri/card0");
        return NULL;
    }
    uint32_t crtcs[OBJECTS_MAX], connectors[OBJECTS_MAX];
    struct drm_mode_card_res resources = {.crtc_id_ptr = (uintptr_t)crtcs,
                                          .count_crtcs = OBJECTS_MAX,
                                          .connector_id_ptr = (uintptr_t)connectors,
                                          .count_connectors = OBJECTS_MAX};
    if (control(display.fd, DRM_IOCTL_MODE_GETRESOURCES, &resources) || resources.count_crtcs == 0 ||
        resources.count_crtcs > OBJECTS_MAX || resources.count_connectors > OBJECTS_MAX) {
        perror("testcard: resources");
        return NULL;
    }
    display.crtc = crtcs[0];
    for (uint32_t i = 0; i < resources.count_connectors; i++) {
        struct drm_mode_modeinfo mode;
        display.connector = connectors[i];
        if (connector_preferred(display.fd, connectors[i], &mode) && display_set_mode(&display, &mode)) {
            display_show_cursor(&display);
            return &display;
        }
    }
    fprintf(stderr, "testcard: no connected screen\n");
    return NULL;
}

bool display_follow(struct display *display)
{
    struct drm_mode_modeinfo mode;
    if (!connector_preferred(display->fd, display->connector, &mode))
        return false;
    if (mode.hdisplay == display->mode.hdisplay && mode.vdisplay == display->mode.vdisplay)
        return false;
    return display_set_mode(display, &mode);
}

int display_width(const struct display *display)
{
    return display->mode.hdisplay;
}

int display_height(const struct display *display)
{
    return display->mode.vdisplay;
}

void *display_pixels(const struct display *display, size_t *stride)
{
    *stride = display->buffers[display->back].stride;
    return display->buffers[display->back].pixels;
}

// Shows the buffer drawn into. EBUSY: the last flip is still under way, the picture has to wait for the next
// one.
static bool display_show_back(struct display *display)
{
    struct drm_mode_crtc_page_flip flip = {.crtc_id = display->crtc,
                                           .fb_id = display->buffers[display->back].framebuffer};
    if (control(display->fd, DRM_IOCTL_MODE_PAGE_FLIP, &flip)) {
        if (errno != EBUSY)
            perror("testcard: flip");
        return false;
    }
    display->front = display->back;
    return true;
}

void display_flush(struct display *display, const struct testcard_rect *damage, size_t count)
{
    if (display->front != display->back && !display_show_back(display))
        return;
    // The kernel merges the clips of one call into one rectangle.
    for (size_t i = 0; i < count; i++) {
        struct drm_clip_rect clip = {.x1 = (unsigned short)damage[i].x,
                                     .y1 = (unsigned short)damage[i].y,
                                     .x2 = (unsigned short)(damage[i].x + damage[i].width),
                                     .y2 = (unsigned short)(damage[i].y + damage[i].height)};
        struct drm_mode_fb_dirty_cmd dirty = {.fb_id = display->buffers[display->back].framebuffer,
                                              .num_clips = 1,
                                              .clips_ptr = (uintptr_t)&clip};
        // ENOSYS: a card whose memory is the screen needs no telling.
        if (control(display->fd, DRM_IOCTL_MODE_DIRTYFB, &dirty) && errno != ENOSYS)
            perror("testcard: flush");
    }
}

void display_flip(struct display *display)
{
    if (display_show_back(display))
        display->back = (display->back + 1) % BUFFERS;
}

void display_move_cursor(struct display *display, int x, int y)
{
    struct drm_mode_cursor2 cursor = {
        .flags = DRM_MODE_CURSOR_MOVE, .crtc_id = display->crtc, .x = x, .y = y};
    if (display->cursor.handle)
        control(display->fd, DRM_IOCTL_MODE_CURSOR2, &cursor);
}
