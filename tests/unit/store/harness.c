#include "tests/unit/store/harness.h"

#include <glib/gstdio.h>
#include <string.h>

Store *store;
char *store_path;
gint64 store_clock;
static StoreReply answer;
static gboolean answered;

static gint64 now(gpointer data)
{
    return store_clock;
}

static void forget(void)
{
    g_clear_error(&answer.error);
    g_clear_pointer(&answer.message, g_free);
    g_clear_pointer(&answer.hint, g_free);
    g_clear_pointer(&answer.address, g_free);
    g_clear_pointer(&answer.parameters, g_free);
    g_clear_pointer(&answer.user, store_user_free);
    g_clear_pointer(&answer.template, store_template_free);
    g_clear_pointer(&answer.desktop, store_desktop_free);
    g_clear_pointer(&answer.revoked, store_revoked_free);
    g_clear_pointer(&answer.users, g_ptr_array_unref);
    g_clear_pointer(&answer.templates, g_ptr_array_unref);
    g_clear_pointer(&answer.desktops, g_ptr_array_unref);
    g_clear_pointer(&answer.connections, g_ptr_array_unref);
    g_clear_pointer(&answer.audit, g_ptr_array_unref);
}

void harness_done(StoreReply *reply, gpointer data)
{
    forget();
    answer = *reply;
    memset(reply, 0, sizeof *reply);
    answered = TRUE;
}

StoreReply *harness_wait(void)
{
    while (!answered)
        g_main_context_iteration(NULL, TRUE);
    answered = FALSE;
    return &answer;
}

static void open_store(void)
{
    g_autoptr(GError) error = NULL;
    store = store_open(store_path, "node1", &error);
    ck_assert_msg(store != NULL, "%s", error ? error->message : "");
    store_set_clock(store, now, NULL);
}

void harness_open(void)
{
    g_autofree char *folder = g_dir_make_tmp("fernwerk-store-XXXXXX", NULL);
    store_path = g_build_filename(folder, "fernwerk.db", NULL);
    store_clock = g_get_real_time() / 1000;
    open_store();
}

void harness_reopen(void)
{
    store_close(store);
    open_store();
}

void harness_close(void)
{
    static const char *const endings[] = {"", "-wal", "-shm"};
    g_clear_pointer(&store, store_close);
    forget();
    for (guint i = 0; i < G_N_ELEMENTS(endings); i++) {
        g_autofree char *file = g_strconcat(store_path, endings[i], NULL);
        g_unlink(file);
    }
    g_autofree char *folder = g_path_get_dirname(store_path);
    g_rmdir(folder);
    g_clear_pointer(&store_path, g_free);
}

gint64 make_user(const char *name)
{
    StoreReply *reply = CALL(store_user_add, "test", name, FALSE, "$argon2id$x");
    ck_assert_int_eq(reply->result, STORE_OK);
    return reply->user->id;
}

void make_template(const char *name)
{
    StoreTemplate template = {.name = (char *)name,
                              .kind = (char *)"pattern",
                              .firmware = (char *)"bios",
                              .video = (char *)"virtio",
                              .xkb_layout = (char *)"us",
                              .memory_mib = 512,
                              .vcpus = 1,
                              .width = 800,
                              .height = 600};
    ck_assert_int_eq(RESULT(store_template_add, "test", &template), STORE_OK);
}

void make_desktop(const char *name)
{
    g_autofree char *domain = g_strconcat("fw-", name, NULL), *uuid = g_uuid_string_random();
    g_autofree char *disk = g_strconcat("/disks/", name, NULL);
    ck_assert_int_eq(RESULT(store_desktop_create, "test", name, "t", domain, uuid, disk), STORE_OK);
}

gint64 serial_of(const char *user)
{
    StoreReply *reply = CALL(store_user_show, user);
    ck_assert_int_eq(reply->result, STORE_OK);
    return reply->user->serial;
}

StoreReply *grant(const char *user, const char *desktop)
{
    StoreGrant asked = {.user = user,
                        .desktop = desktop,
                        .serial = serial_of(user),
                        .protocol = "rdp",
                        .address = "192.0.2.1"};
    return CALL(store_lease_grant, &asked);
}

guint audited(const char *action, const char *result)
{
    guint found = 0;
    StoreReply *reply = CALL(store_audit_list, 1000, 0);
    for (guint i = 0; i < reply->audit->len; i++) {
        const StoreAudit *row = reply->audit->pdata[i];
        found += strcmp(row->action, action) == 0 && strcmp(row->result, result) == 0;
    }
    return found;
}
