/* Loading GStreamer without its registry: no scan of all plugins, no helper process, no cache file. */
#pragma once

#include <gio/gio.h>
#include <gst/gst.h>

/* Makes an element out of that plugin file (without ".so"), which is loaded first when it has not been. A
 * floating reference; NULL with error set. h264_load() must have succeeded. */
GstElement *gst_load_element(const char *plugin, const char *element, GError **error);
