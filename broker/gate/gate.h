/* Half-open connections: accepted, but not handed to a client process yet. */
#pragma once

#include "base/config.h"
#include "base/packet.h"
#include "base/proto/master_link.h"

typedef struct Gate Gate;

/* Asks the master through `requests` (owned) to take connections over. Limits come from `config`. */
Gate *gate_new(const Config *config, int requests);
/* Accepts on `listener` (owned) from now on. */
void gate_listen(Gate *gate, int listener, ClientProtocol protocol);
