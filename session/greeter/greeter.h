/* The greeter itself: ties form, picture, keyboard, client and broker together. One per process. */
#pragma once

#include "base/config.h"
#include "base/lifeline.h"

/* Loads fonts and keymaps. The config is borrowed for the call. */
void greeter_prepare(const Config *config);

/* From the lifeline; see LifelineEvents. */
void greeter_add_client(const LifelineSeatLink *link, int fd);
void greeter_add_broker(int fd);
void greeter_record(const ProcessRecord *record);
void greeter_remove_client(ProcessId peer);
void greeter_end(EndReason reason, const char *text);
