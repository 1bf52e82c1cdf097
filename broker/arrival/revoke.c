/* Ending what leant on a right that is gone, and giving back leases whose owner has none any more. */
#include "broker/arrival/arrivals_internal.h"

#include "base/log.h"

#include <string.h>

struct Revocation {
    Arrivals *set;
    GHashTable *waiting; /* ProcessId: still alive */
    GPtrArray *leases;   /* names of desktops */
    guint returning;     /* leases on their way */
    gboolean settling;
    ArrivalsDone done;
    gpointer data;
};

void revocation_free(gpointer data)
{
    Revocation *self = data;
    g_hash_table_unref(self->waiting);
    g_ptr_array_unref(self->leases);
    g_free(self);
}

/* The store's callbacks hold a reference to the set, and with it to this. */
static void finish(Revocation *self)
{
    ArrivalsDone done = self->done;
    gpointer data = self->data;
    Arrivals *set = self->set;

    g_ptr_array_remove(set->revocations, self);
    if (arrivals_unref(set) && done)
        done(data);
}

static void returned(StoreReply *reply, gpointer data)
{
    Revocation *self = data;
    if (reply->result == STORE_FAILED)
        log_warning("a lease could not be given back: %s", reply->error->message);
    if (--self->returning == 0)
        finish(self);
}

static gboolean same_name(gconstpointer a, gconstpointer b)
{
    return g_ascii_strcasecmp(a, b) == 0;
}

static void listed(StoreReply *reply, gpointer data)
{
    Revocation *self = data;
    Store *store = self->set->needs.store;

    self->returning = 1;
    for (guint i = 0; reply->desktops && i < reply->desktops->len; i++) {
        const StoreDesktop *row = reply->desktops->pdata[i];
        Desktop *desktop = self->set->dead ? NULL : desktops_find(self->set->needs.desktops, row->name);
        gboolean entitled = row->owner && row->assigned && g_ascii_strcasecmp(row->assigned, row->owner) == 0;
        gboolean listed_here = g_ptr_array_find_with_equal_func(self->leases, row->name, same_name, NULL);
        if (!row->owner || (entitled && !listed_here))
            continue;
        if (desktop)
            desktop_release(desktop);
        self->returning++;
        store_lease_return(store, row->name, row->epoch, returned, self);
    }
    if (--self->returning == 0)
        finish(self);
}

static void settle_when_dead(Revocation *self)
{
    if (self->settling || g_hash_table_size(self->waiting) > 0)
        return;
    self->settling = TRUE;
    arrivals_ref(self->set);
    store_desktop_list(self->set->needs.store, NULL, listed, self);
}

void revocations_gone(Arrivals *set, ProcessId client)
{
    for (guint i = 0; i < set->revocations->len; i++) {
        Revocation *self = set->revocations->pdata[i];
        if (g_hash_table_remove(self->waiting, &client))
            settle_when_dead(self);
    }
}

static gboolean concerns(const StoreRevoked *revoked, const Arrival *arrival)
{
    if (revoked->user && g_ascii_strcasecmp(revoked->user, arrival->user) == 0 &&
        (!revoked->kept_session || arrival->web_session != revoked->kept_session))
        return TRUE;
    if (revoked->web_session && arrival->web_session == revoked->web_session)
        return TRUE;
    if (!arrival->connection)
        return FALSE;
    /* Whoever was let to it was its owner, whatever became of his row. */
    if (g_ptr_array_find_with_equal_func(revoked->leases, arrival->chosen, same_name, NULL))
        return TRUE;
    for (guint i = 0; i < revoked->connections->len; i++)
        if (((const StoreConnection *)revoked->connections->pdata[i])->id == arrival->connection)
            return TRUE;
    return FALSE;
}

void arrivals_revoke(Arrivals *set, const StoreRevoked *revoked, EndReason reason, const char *text,
                     ArrivalsDone done, gpointer data)
{
    Revocation *self = g_new0(Revocation, 1);
    GHashTableIter iter;
    Arrival *arrival;

    self->set = set;
    self->waiting = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    self->leases = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < revoked->leases->len; i++)
        g_ptr_array_add(self->leases, g_strdup(revoked->leases->pdata[i]));
    self->done = done;
    self->data = data;
    g_ptr_array_add(set->revocations, self);
    g_hash_table_iter_init(&iter, set->clients);
    while (g_hash_table_iter_next(&iter, NULL, (gpointer *)&arrival)) {
        if (!concerns(revoked, arrival))
            continue;
        log_info("%s%s%s: %s", arrival->user, *arrival->chosen ? " on " : "", arrival->chosen,
                 end_reason_text(reason));
        arrival_end(arrival, reason, text);
        g_hash_table_add(self->waiting, g_memdup2(&arrival->client, sizeof arrival->client));
    }
    settle_when_dead(self);
}
