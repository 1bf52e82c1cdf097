/* What may be written into a process's record, and who may meet whom by it. Pure. */
#pragma once

#include "base/proto/master_link.h"

#include <glib.h>

/* Whether a record that came in a packet can be read: its texts end within their fields. */
gboolean process_record_valid(const ProcessRecord *record);

/* Writes the filled fields of `wish`, a valid record, into `record`. FALSE, and nothing is written, when one
 * of them differs from what is already there. */
gboolean process_record_fill(ProcessRecord *record, const ProcessRecord *wish);

/* Whether a client may be introduced to a seat: it has a user, and both stand for one lease, which is a
 * desktop and an epoch. */
gboolean process_record_may_enter(const ProcessRecord *client, const ProcessRecord *seat);

/* FALSE only when both name a user and not the same one. */
gboolean process_record_users_agree(const ProcessRecord *a, const ProcessRecord *b);
