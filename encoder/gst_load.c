/* The registry stays off: it would scan every plugin of the machine in this process. */
#include "encoder/gst_load.h"

#include "encoder/h264.h"

gboolean h264_load(GError **error)
{
    static gsize once;
    static GError *failure;

    if (g_once_init_enter(&once)) {
        g_setenv("GST_REGISTRY_DISABLE", "yes", TRUE);
        gst_registry_fork_set_enabled(FALSE);
        gst_init_check(NULL, NULL, &failure);
        g_once_init_leave(&once, 1);
    }
    if (failure)
        g_propagate_error(error, g_error_copy(failure));
    return failure == NULL;
}

static gboolean load_plugin(const char *plugin, GError **error)
{
    g_autofree char *path = g_strdup_printf("%s/%s.so", FERNWERK_GST_PLUGINS, plugin);
    GstPlugin *loaded;

    if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "plugin %s is not installed", plugin);
        return FALSE;
    }
    loaded = gst_plugin_load_file(path, error);
    if (!loaded)
        return FALSE;
    /* Never unloaded: its reference stays with the process. */
    return TRUE;
}

GstElement *gst_load_element(const char *plugin, const char *element, GError **error)
{
    g_autoptr(GstElementFactory) factory = gst_element_factory_find(element);
    if (!factory) {
        if (!load_plugin(plugin, error))
            return NULL;
        factory = gst_element_factory_find(element);
    }
    GstElement *made = factory ? gst_element_factory_create(factory, NULL) : NULL;
    if (!made)
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                    factory ? "%s: cannot be made" : "%s: this machine has no device for it", element);
    return made;
}
