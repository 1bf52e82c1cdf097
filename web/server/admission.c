/* Counting connections per source, see the header. */
#include "web/server/admission.h"

#define MINUTE (60 * G_USEC_PER_SEC)

typedef struct {
    guint64 source;
    guint counts[STANDING_KNOWN + 1];
    gint64 tokens_at; /* when `tokens` was true */
    double tokens;    /* of the rate limit's bucket */
} Tally;

struct Admission {
    AdmissionLimits limits;
    GHashTable *tallies; /* source -> Tally; a source without connections and with a full bucket is dropped */
    guint counts[STANDING_KNOWN + 1];
};

Admission *admission_new(const AdmissionLimits *limits)
{
    Admission *admission = g_new0(Admission, 1);
    admission->limits = *limits;
    admission->tallies = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
    return admission;
}

void admission_free(Admission *admission)
{
    if (!admission)
        return;
    g_hash_table_unref(admission->tallies);
    g_free(admission);
}

static void refill(const Admission *admission, Tally *tally, gint64 now)
{
    double rate = admission->limits.rate_per_source;
    tally->tokens = MIN(rate, tally->tokens + rate * (double)(now - tally->tokens_at) / MINUTE);
    tally->tokens_at = now;
}

static gboolean tally_is_spent(gpointer key, gpointer value, gpointer data)
{
    const Tally *tally = value;
    const gint64 *now = data;
    for (guint i = STANDING_HALF_OPEN; i <= STANDING_KNOWN; i++)
        if (tally->counts[i])
            return FALSE;
    return *now - tally->tokens_at >= MINUTE;
}

static Tally *find_tally(Admission *admission, guint64 source, gint64 now)
{
    Tally *tally = g_hash_table_lookup(admission->tallies, &source);
    if (tally)
        return tally;
    /* Many sources, each seen once, must not fill the memory. */
    if (g_hash_table_size(admission->tallies) >= 4096)
        g_hash_table_foreach_remove(admission->tallies, tally_is_spent, &now);
    if (g_hash_table_size(admission->tallies) >= 65536)
        return NULL;
    tally = g_new0(Tally, 1);
    tally->source = source;
    tally->tokens = admission->limits.rate_per_source;
    tally->tokens_at = now;
    g_hash_table_insert(admission->tallies, &tally->source, tally);
    return tally;
}

gboolean admission_enter(Admission *admission, guint64 source, gint64 now)
{
    const AdmissionLimits *limits = &admission->limits;
    const guint *all = admission->counts;
    guint half_open = all[STANDING_HALF_OPEN], anonymous = half_open + all[STANDING_ANONYMOUS];
    Tally *tally = find_tally(admission, source, now);

    if (!tally)
        return FALSE;
    refill(admission, tally, now);
    if (tally->tokens < 1 || half_open >= limits->half_open_total || anonymous >= limits->anonymous_total ||
        anonymous + all[STANDING_KNOWN] >= limits->connections_total ||
        tally->counts[STANDING_HALF_OPEN] >= limits->half_open_per_source ||
        tally->counts[STANDING_HALF_OPEN] + tally->counts[STANDING_ANONYMOUS] >= limits->anonymous_per_source)
        return FALSE;
    tally->tokens -= 1;
    tally->counts[STANDING_HALF_OPEN]++;
    admission->counts[STANDING_HALF_OPEN]++;
    return TRUE;
}

void admission_move(Admission *admission, guint64 source, Standing from, Standing to)
{
    Tally *tally = g_hash_table_lookup(admission->tallies, &source);
    g_assert(tally && from != STANDING_NONE && tally->counts[from] > 0 && admission->counts[from] > 0);
    tally->counts[from]--;
    admission->counts[from]--;
    if (to == STANDING_NONE)
        return;
    tally->counts[to]++;
    admission->counts[to]++;
}

void admission_leave(Admission *admission, guint64 source, Standing from)
{
    admission_move(admission, source, from, STANDING_NONE);
}

guint admission_count(const Admission *admission, Standing standing)
{
    return admission->counts[standing];
}
