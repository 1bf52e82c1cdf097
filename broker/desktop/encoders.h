/* Which H.264 encoders work on this node: proven once by a probe process, kept in a file below state_dir
 * until GStreamer, a driver or the kernel changes. Main thread only. */
#pragma once

#include "base/config.h"
#include "base/proto/seat_control.h"
#include "broker/arrival/master_client.h"

typedef struct Encoders Encoders;

/* known: the verdicts are there (from the file at once, or after a probe). */
Encoders *encoders_new(MasterClient *master, const Config *config,
                       void (*known)(Encoders *encoders, gpointer data), gpointer data);
void encoders_free(Encoders *encoders);

/* Reads the file, or starts a probe; again after a probe has died, twice at most. */
void encoders_begin(Encoders *encoders);

/* The master's reports. TRUE when the process is our probe; fd is then taken over. */
gboolean encoders_take(Encoders *encoders, const MasterProcess *process, int fd);
void encoders_gone(Encoders *encoders, ProcessId id);

/* Of EncoderVerdict, in the order of preference; empty before they are known. Borrowed. */
const GArray *encoders_verdicts(const Encoders *encoders);
/* The proven hardware element that is to be used, or "". */
const char *encoders_hardware(const Encoders *encoders);
/* The software element: the configured one unless it is proven not to work. */
const char *encoders_software(const Encoders *encoders);
