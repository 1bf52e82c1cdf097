/* The table. Settings: no B frames, no look-ahead, one slice a picture, SPS and PPS with each key frame, key
 * frames only on demand, quality first with a bitrate as the ceiling. */
#include "encoder/encoders.h"

#include <gst/gst.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

const EncoderCandidate encoder_candidates[] = {
    {.element = "nvh264enc",
     .plugin = "libgstnvcodec",
     .hardware = TRUE,
     .format = "NV12",
     .settings = "preset=low-latency-hq rc-mode=vbr qp-const-i=23 zerolatency=true bframes=0 gop-size=-1 "
                 "repeat-sequence-header=true aud=false bitrate=20000",
     .bitrate = "bitrate",
     .bitrate_unit = 1000},
    {.element = "vah264enc",
     .plugin = "libgstva",
     .hardware = TRUE,
     .format = "NV12",
     .settings =
         "rate-control=vbr b-frames=0 ref-frames=1 num-slices=1 key-int-max=1024 aud=false target-usage=6 "
         "bitrate=20000",
     .bitrate = "bitrate",
     .bitrate_unit = 1000},
    {.element = "vaapih264enc",
     .plugin = "libgstvaapi",
     .hardware = TRUE,
     .format = "NV12",
     .settings =
         "rate-control=vbr max-bframes=0 refs=1 num-slices=1 keyframe-period=1024 aud=false bitrate=20000",
     .bitrate = "bitrate",
     .bitrate_unit = 1000},
    {.element = "qsvh264enc",
     .plugin = "libgstqsv",
     .hardware = TRUE,
     .format = "NV12",
     .settings = "low-latency=true rate-control=vbr b-frames=0 ref-frames=1 gop-size=1024 idr-interval=1024 "
                 "target-usage=6 bitrate=20000",
     .bitrate = "bitrate",
     .bitrate_unit = 1000},
    {.element = "v4l2h264enc",
     .plugin = "libgstvideo4linux2",
     .hardware = TRUE,
     .format = "NV12",
     .settings =
         "extra-controls=controls,video_bitrate=20000000,h264_i_frame_period=1024,repeat_sequence_header=1;",
     .caps = "level=(string)4"},
    {.element = "x264enc",
     .plugin = "libgstx264",
     .format = "I420",
     .settings = "tune=zerolatency speed-preset=ultrafast pass=qual quantizer=23 bitrate=20000 "
                 "vbv-buf-capacity=300 bframes=0 threads=1 sliced-threads=false aud=false key-int-max=0 "
                 "byte-stream=true",
     .pair = "option-string=dpb-size=2", /* splice.h: room for both views' last pictures */
     .bitrate = "bitrate",
     .bitrate_unit = 1000},
    {.element = "openh264enc",
     .plugin = "libgstopenh264",
     .format = "I420",
     .settings = "usage-type=screen rate-control=quality complexity=low slice-mode=n-slices num-slices=1 "
                 "multi-thread=1 gop-size=0 bitrate=20000000 max-bitrate=30000000 enable-frame-skip=false",
     .bitrate = "bitrate",
     .bitrate_unit = 1},
    {.element = NULL},
};

const EncoderCandidate *encoder_candidate(const char *element)
{
    for (const EncoderCandidate *candidate = encoder_candidates; candidate->element; candidate++)
        if (g_strcmp0(candidate->element, element) == 0)
            return candidate;
    return NULL;
}

static void append_first_line(GString *key, const char *path)
{
    g_autofree char *text = NULL;
    if (g_file_get_contents(path, &text, NULL, NULL)) {
        g_strdelimit(text, "\n", '\0');
        g_string_append_printf(key, "; %s", text);
    }
}

char *encoder_cache_key(void)
{
    GString *key = g_string_new(NULL);
    struct utsname kernel;
    guint major, minor, micro, nano;

    gst_version(&major, &minor, &micro, &nano);
    g_string_printf(key, "gstreamer %u.%u.%u", major, minor, micro);
    if (uname(&kernel) == 0)
        g_string_append_printf(key, "; kernel %s", kernel.release);
    append_first_line(key, "/sys/module/nvidia/version");
    for (guint card = 128; card < 132; card++) {
        g_autofree char *link = g_strdup_printf("/sys/class/drm/renderD%u/device/driver", card);
        g_autofree char *target = g_file_read_link(link, NULL);
        if (target) {
            g_autofree char *driver = g_path_get_basename(target);
            g_string_append_printf(key, "; %s", driver);
        }
    }
    return g_string_free(key, FALSE);
}
