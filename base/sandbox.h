/* The sandbox of a process that sees bytes from outside: no file, no new socket, no connection, no exec, no
 * ptrace. */
#pragma once

#include <gio/gio.h>

typedef enum {
    SANDBOX_CLIENT,  /* rdp, vnc: inherited descriptors only */
    SANDBOX_GATE,    /* as CLIENT, and accept() on its listeners */
    SANDBOX_WEB,     /* as GATE, and socketpair(AF_UNIX) */
    SANDBOX_GREETER, /* as CLIENT, and read-only files below the fonts and keymaps folders; that it reads
                        no others rests on Landlock alone: fonts and keymaps are opened late */
    SANDBOX_SEAT,    /* no exec, ptrace, network sockets; files and devices stay (encoders load late) */
} SandboxProfile;

/* Enters the sandbox for the rest of the process's life, all threads included: no new privileges, empty
 * capability sets, Landlock where the kernel has it, empty network/IPC namespaces where it can, seccomp
 * always (failure there is an error). What could not be had is told in *missing (free it; "" when all holds).
 * Call after all libraries are loaded and keys are read. */
gboolean sandbox_enter(SandboxProfile profile, char **missing, GError **error);

/* Tries open, socket, connect, exec and ptrace and prints one line each, "open refused" or "open WORKS".
 * Returns the number that worked. For `--sandbox-check` of each program, which its test runs. */
int sandbox_check(SandboxProfile profile);
