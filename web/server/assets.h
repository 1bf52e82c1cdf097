/* The built pages, read into memory before the sandbox closes the file system. */
#pragma once

#include <gio/gio.h>

typedef struct {
    GBytes *body;
    GBytes *gzip;       /* the same compressed, or NULL */
    const char *type;   /* Content-Type, static */
    char *etag;         /* quoted */
    gboolean immutable; /* its name changes with its content: cache for good */
} Asset;

typedef struct Assets Assets;

/* Reads the folder with all below it: at most 2,000 files of 64 MiB in all, names without a leading dot. A
 * file "x.gz" beside "x" is its compressed form. An error when the folder has no index.html. */
Assets *assets_load(const char *folder, GError **error);
void assets_free(Assets *assets);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Assets, assets_free)

/* The asset for an absolute URL path ("/assets/x.js"); for every other path outside of /assets, /api and
 * /ws index.html, whose script knows the pages; else NULL. Borrowed. */
const Asset *assets_find(const Assets *assets, const char *path);
