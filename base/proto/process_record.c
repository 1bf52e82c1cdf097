/* Each field of a record is written once. */
#include "base/proto/process_record.h"

#include <string.h>

#define TERMINATED(FIELD) (memchr((FIELD), 0, sizeof(FIELD)) != NULL)

gboolean process_record_valid(const ProcessRecord *record)
{
    return TERMINATED(record->user) && TERMINATED(record->desktop);
}

static gboolean text_clashes(const char *written, const char *wish)
{
    return *wish && *written && strcmp(wish, written) != 0;
}

static gboolean number_clashes(uint64_t written, uint64_t wish)
{
    return wish && written && wish != written;
}

static void fill_number(uint64_t *written, uint64_t wish)
{
    if (wish)
        *written = wish;
}

gboolean process_record_fill(ProcessRecord *record, const ProcessRecord *wish)
{
    if (text_clashes(record->user, wish->user) || text_clashes(record->desktop, wish->desktop) ||
        number_clashes(record->epoch, wish->epoch) || number_clashes(record->connection, wish->connection) ||
        number_clashes(record->serial, wish->serial) ||
        number_clashes(record->web_session, wish->web_session))
        return FALSE;
    if (*wish->user)
        g_strlcpy(record->user, wish->user, sizeof record->user);
    if (*wish->desktop)
        g_strlcpy(record->desktop, wish->desktop, sizeof record->desktop);
    fill_number(&record->epoch, wish->epoch);
    fill_number(&record->connection, wish->connection);
    fill_number(&record->serial, wish->serial);
    fill_number(&record->web_session, wish->web_session);
    return TRUE;
}

gboolean process_record_may_enter(const ProcessRecord *client, const ProcessRecord *seat)
{
    return *client->user && *seat->desktop && seat->epoch && strcmp(client->desktop, seat->desktop) == 0 &&
           client->epoch == seat->epoch;
}

gboolean process_record_users_agree(const ProcessRecord *a, const ProcessRecord *b)
{
    return !text_clashes(a->user, b->user);
}
