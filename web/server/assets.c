/* Loading and finding the pages' files. */
#include "web/server/assets.h"

#include <string.h>

#define FILES_MAX 2000
#define BYTES_MAX (64 * 1024 * 1024)
#define DEPTH_MAX 6

struct Assets {
    GHashTable *files; /* "/path" -> Asset */
    gsize bytes;
};

static const char *content_type(const char *path)
{
    static const struct {
        const char *ending, *type;
    } types[] = {
        {".html", "text/html; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".ico", "image/x-icon"},
        {".json", "application/json"},
        {".webmanifest", "application/manifest+json"},
        {".woff2", "font/woff2"},
        {".woff", "font/woff"},
        {".txt", "text/plain; charset=utf-8"},
        {".jpg", "image/jpeg"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(types); i++)
        if (g_str_has_suffix(path, types[i].ending))
            return types[i].type;
    return "application/octet-stream";
}

static void asset_free(gpointer data)
{
    Asset *asset = data;
    g_clear_pointer(&asset->body, g_bytes_unref);
    g_clear_pointer(&asset->gzip, g_bytes_unref);
    g_free(asset->etag);
    g_free(asset);
}

static gboolean load_file(Assets *assets, const char *file, const char *path, GError **error)
{
    char *text;
    gsize length;
    if (!g_file_get_contents(file, &text, &length, error))
        return FALSE;
    Asset *asset = g_new0(Asset, 1);
    asset->body = g_bytes_new_take(text, length);
    asset->type = content_type(path);
    g_autofree char *hash = g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, asset->body);
    asset->etag = g_strdup_printf("\"%.32s\"", hash);
    asset->immutable = g_str_has_prefix(path, "/assets/");
    assets->bytes += length;
    g_hash_table_insert(assets->files, g_strdup(path), asset);
    if (assets->bytes > BYTES_MAX || g_hash_table_size(assets->files) > FILES_MAX) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, "%s: more than %d files or %d MiB of pages", file,
                    FILES_MAX, BYTES_MAX >> 20);
        return FALSE;
    }
    return TRUE;
}

static gboolean load_folder(Assets *assets, const char *folder, const char *path, guint depth, GError **error)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, error);
    const char *name;
    if (!dir)
        return FALSE;
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *file = g_build_filename(folder, name, NULL);
        g_autofree char *below = g_strconcat(path, "/", name, NULL);
        if (*name == '.')
            continue;
        if (g_file_test(file, G_FILE_TEST_IS_DIR)) {
            if (depth < DEPTH_MAX && !load_folder(assets, file, below, depth + 1, error))
                return FALSE;
        } else if (!load_file(assets, file, below, error)) {
            return FALSE;
        }
    }
    return TRUE;
}

/* "x.gz" becomes the compressed form of "x" and is no file of its own. */
static void join_compressed(Assets *assets)
{
    GHashTableIter iter;
    const char *path;
    Asset *asset;
    g_hash_table_iter_init(&iter, assets->files);
    while (g_hash_table_iter_next(&iter, (gpointer *)&path, (gpointer *)&asset)) {
        if (!g_str_has_suffix(path, ".gz"))
            continue;
        g_autofree char *plain = g_strndup(path, strlen(path) - strlen(".gz"));
        Asset *of = g_hash_table_lookup(assets->files, plain);
        if (of)
            of->gzip = g_bytes_ref(asset->body);
        g_hash_table_iter_remove(&iter);
    }
}

Assets *assets_load(const char *folder, GError **error)
{
    g_autoptr(Assets) assets = g_new0(Assets, 1);
    assets->files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, asset_free);
    if (!load_folder(assets, folder, "", 0, error))
        return NULL;
    join_compressed(assets);
    if (!g_hash_table_contains(assets->files, "/index.html")) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                    "%s has no index.html: the web pages are not installed there (web.pages_dir)", folder);
        return NULL;
    }
    return g_steal_pointer(&assets);
}

void assets_free(Assets *assets)
{
    if (!assets)
        return;
    g_hash_table_unref(assets->files);
    g_free(assets);
}

const Asset *assets_find(const Assets *assets, const char *path)
{
    const Asset *asset = g_hash_table_lookup(assets->files, path);
    if (asset)
        return asset;
    static const char *const no_pages[] = {"/assets/", "/api/", "/ws/"};
    for (guint i = 0; i < G_N_ELEMENTS(no_pages); i++)
        if (g_str_has_prefix(path, no_pages[i]))
            return NULL;
    return g_hash_table_lookup(assets->files, "/index.html");
}
