/* Does KVM really run a guest here? A device that opens proves nothing: some machines offer /dev/kvm and
 * never get anywhere in it, others run a few instructions and refuse what QEMU sets up for a whole
 * processor. */
#pragma once

#include <glib.h>

/* Two proofs, each in a child process of at most `deadline_ms`: a few real-mode instructions in a throw-away
 * virtual CPU must reach their port write and halt, then QEMU with the host's processor must get its firmware
 * to speak. FALSE with *reason (a sentence's part, free it) when one did not. Blocks: worker thread only. */
gboolean kvm_probe(guint deadline_ms, char **reason);
