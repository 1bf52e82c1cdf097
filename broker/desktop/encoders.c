/* Starting the probe, hearing its verdicts, keeping them in a file. */
#include "broker/desktop/encoders.h"

#include "base/log.h"
#include "base/packet.h"

#include <glib/gstdio.h>
#include <glob.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#define VERDICTS_MAX 32
#define PROBES_MAX 2
#define FILE_BYTES_MAX (64 * 1024)
#define FILE_NAME "encoders"
#define LISTED "verdicts"

struct Encoders {
    MasterClient *master;
    const Config *config;
    void (*known)(Encoders *encoders, gpointer data);
    gpointer data;
    ProcessId probe;
    PacketLink *link;
    guint probes;
    GArray *verdicts, *coming;
};

Encoders *encoders_new(MasterClient *master, const Config *config,
                       void (*known)(Encoders *encoders, gpointer data), gpointer data)
{
    Encoders *self = g_new0(Encoders, 1);
    self->master = master;
    self->config = config;
    self->known = known;
    self->data = data;
    self->verdicts = g_array_new(FALSE, TRUE, sizeof(EncoderVerdict));
    self->coming = g_array_new(FALSE, TRUE, sizeof(EncoderVerdict));
    return self;
}

void encoders_free(Encoders *self)
{
    if (!self)
        return;
    master_client_forget(self->master, self);
    packet_link_free(self->link);
    g_array_unref(self->verdicts);
    g_array_unref(self->coming);
    g_free(self);
}

/* ---- what they depend on ---- */

static void add_files(GString *key, const char *pattern)
{
    glob_t found = {0};

    if (glob(pattern, 0, NULL, &found) == 0) {
        for (gsize i = 0; i < found.gl_pathc; i++) {
            struct stat status;
            if (stat(found.gl_pathv[i], &status) == 0)
                g_string_append_printf(key, ";%s,%ld,%ld", found.gl_pathv[i],
                                       S_ISCHR(status.st_mode) ? (long)status.st_rdev : (long)status.st_size,
                                       S_ISCHR(status.st_mode) ? 0L : (long)status.st_mtime);
        }
    }
    globfree(&found);
}

/* The broker does not load GStreamer: its files, the devices and the kernel stand for their versions. */
static char *make_key(void)
{
    g_autoptr(GString) key = g_string_new(NULL);
    g_autofree char *sum = NULL;
    struct utsname system;

    uname(&system);
    g_string_append(key, system.release);
    add_files(key, "/usr/lib/*/libgstreamer-1.0.so.*");
    add_files(key, "/usr/lib/*/gstreamer-1.0");
    add_files(key, "/usr/lib/*/dri");
    add_files(key, "/usr/lib/*/libnvidia-encode.so.*");
    add_files(key, "/dev/dri/render*");
    add_files(key, "/dev/video*");
    add_files(key, "/dev/nvidia[0-9]*");
    sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, key->str, -1);
    return g_steal_pointer(&sum);
}

/* ---- choice ---- */

static EncoderVerdict *find(Encoders *self, const char *element)
{
    for (guint i = 0; i < self->verdicts->len; i++) {
        EncoderVerdict *verdict = &g_array_index(self->verdicts, EncoderVerdict, i);
        if (strcmp(verdict->element, element) == 0)
            return verdict;
    }
    return NULL;
}

/* The configured order counts, and what it leaves out is not used. */
static void choose(Encoders *self)
{
    g_auto(GStrv) wanted = g_strsplit_set(config_string(self->config, "encoder.candidates"), " ", -1);
    gboolean listed = FALSE, chosen = FALSE;

    for (guint i = 0; i < self->verdicts->len; i++)
        g_array_index(self->verdicts, EncoderVerdict, i).chosen = 0;
    for (guint i = 0; wanted[i]; i++) {
        EncoderVerdict *verdict = *wanted[i] ? find(self, wanted[i]) : NULL;
        listed |= *wanted[i] != '\0';
        if (verdict && verdict->usable && !chosen)
            chosen = verdict->chosen = 1;
    }
    for (guint i = 0; i < self->verdicts->len && !listed && !chosen; i++) {
        EncoderVerdict *verdict = &g_array_index(self->verdicts, EncoderVerdict, i);
        const EncoderVerdict *software = find(self, config_string(self->config, "encoder.software"));
        /* Among software encoders the configured one comes first. */
        if (verdict->usable && (verdict->hardware || !software || !software->usable || software == verdict))
            chosen = verdict->chosen = 1;
    }
}

const GArray *encoders_verdicts(const Encoders *self)
{
    return self->verdicts;
}

const char *encoders_hardware(const Encoders *self)
{
    for (guint i = 0; i < self->verdicts->len; i++) {
        const EncoderVerdict *verdict = &g_array_index(self->verdicts, EncoderVerdict, i);
        if (verdict->chosen && verdict->hardware)
            return verdict->element;
    }
    return "";
}

const char *encoders_software(const Encoders *self)
{
    const char *wish = config_string(self->config, "encoder.software");
    const EncoderVerdict *configured = find((Encoders *)self, wish);

    if (!configured || configured->usable)
        return wish;
    for (guint i = 0; i < self->verdicts->len; i++) {
        const EncoderVerdict *verdict = &g_array_index(self->verdicts, EncoderVerdict, i);
        if (verdict->usable && !verdict->hardware)
            return verdict->element;
    }
    return wish;
}

/* ---- the file ---- */

static void save(Encoders *self)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autofree char *path = config_state_path(self->config, NULL, FILE_NAME);
    g_autofree char *key = make_key();
    g_autoptr(GError) error = NULL;

    g_key_file_set_string(file, LISTED, "key", key);
    g_key_file_set_integer(file, LISTED, "count", (int)self->verdicts->len);
    for (guint i = 0; i < self->verdicts->len; i++) {
        const EncoderVerdict *verdict = &g_array_index(self->verdicts, EncoderVerdict, i);
        g_autofree char *group = g_strdup_printf("%u", i);
        g_key_file_set_string(file, group, "element", verdict->element);
        g_key_file_set_boolean(file, group, "usable", verdict->usable != 0);
        g_key_file_set_boolean(file, group, "hardware", verdict->hardware != 0);
        g_key_file_set_integer(file, group, "fps", (int)verdict->fps);
        g_key_file_set_string(file, group, "reason", verdict->reason);
        g_key_file_set_string(file, group, "key", verdict->key);
    }
    if (!g_key_file_save_to_file(file, path, &error))
        log_warning("the encoders' verdicts are not kept: %s", error->message);
}

static void load_text(GKeyFile *file, const char *group, const char *name, char *to, gsize size)
{
    g_autofree char *text = g_key_file_get_string(file, group, name, NULL);
    g_strlcpy(to, text ? text : "", size);
}

static gboolean load(Encoders *self)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autofree char *path = config_state_path(self->config, NULL, FILE_NAME);
    g_autofree char *key = make_key(), *kept = NULL;
    GStatBuf status;
    int count;

    if (g_stat(path, &status) < 0 || status.st_size > FILE_BYTES_MAX ||
        !g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, NULL))
        return FALSE;
    kept = g_key_file_get_string(file, LISTED, "key", NULL);
    count = g_key_file_get_integer(file, LISTED, "count", NULL);
    if (g_strcmp0(kept, key) != 0 || count < 1 || count > VERDICTS_MAX)
        return FALSE;
    for (int i = 0; i < count; i++) {
        EncoderVerdict verdict = {0};
        g_autofree char *group = g_strdup_printf("%d", i);
        load_text(file, group, "element", verdict.element, sizeof verdict.element);
        load_text(file, group, "reason", verdict.reason, sizeof verdict.reason);
        load_text(file, group, "key", verdict.key, sizeof verdict.key);
        verdict.usable = g_key_file_get_boolean(file, group, "usable", NULL);
        verdict.hardware = g_key_file_get_boolean(file, group, "hardware", NULL);
        verdict.fps = (uint32_t)MAX(0, g_key_file_get_integer(file, group, "fps", NULL));
        g_array_append_val(self->verdicts, verdict);
    }
    return TRUE;
}

/* ---- the probe ---- */

static void finish(Encoders *self)
{
    choose(self);
    self->known(self, self->data);
}

static void spawned(int error, ProcessId id, gpointer data)
{
    Encoders *self = data;
    self->probe = id;
    if (error)
        log_warning("the encoders are not proven: no process for it");
}

void encoders_begin(Encoders *self)
{
    if (self->verdicts->len > 0)
        return;
    if (load(self)) {
        finish(self);
    } else if (self->probes++ < PROBES_MAX) {
        log_info("proving the H.264 encoders");
        master_client_spawn(self->master, KIND_PROBE, spawned, self);
    }
}

static void received(PacketLink *link, const void *packet, gsize length, int *descriptors, guint count,
                     gpointer data)
{
    Encoders *self = data;
    const SeatControlHeader *header = packet;

    if (length < sizeof *header || header->size != length)
        return;
    if (header->type == SEAT_CONTROL_VERDICT && length == sizeof(EncoderVerdict) &&
        self->coming->len < VERDICTS_MAX) {
        EncoderVerdict verdict = *(const EncoderVerdict *)packet;
        verdict.element[sizeof verdict.element - 1] = '\0';
        verdict.reason[sizeof verdict.reason - 1] = '\0';
        verdict.key[sizeof verdict.key - 1] = '\0';
        g_array_append_val(self->coming, verdict);
    } else if (header->type == SEAT_CONTROL_VERDICTS_END && self->coming->len > 0 &&
               self->verdicts->len == 0) {
        g_array_append_vals(self->verdicts, self->coming->data, self->coming->len);
        save(self);
        finish(self);
    }
}

static void closed(PacketLink *link, gboolean broken, gpointer data)
{
    Encoders *self = data;
    packet_link_free(g_steal_pointer(&self->link));
    encoders_begin(self);
}

gboolean encoders_take(Encoders *self, const MasterProcess *process, int fd)
{
    if (process->kind != KIND_PROBE)
        return FALSE;
    packet_link_free(self->link);
    self->probe = process->id;
    g_array_set_size(self->coming, 0);
    self->link = packet_link_new(fd, NULL, SEAT_CONTROL_PACKET_MAX, 4, received, closed, self);
    return TRUE;
}

void encoders_gone(Encoders *self, ProcessId id)
{
    if (id != self->probe)
        return;
    self->probe = 0;
    /* What it said may still be in its link, which tells of its end too. */
    if (!self->link)
        encoders_begin(self);
}
