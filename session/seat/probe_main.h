/* fernwerk-seat --probe (KIND_PROBE): proves every encoder of the table once and tells the broker the
 * verdicts. */
#pragma once

/* The role's whole life; returns the exit status. By hand (without a master) it prints the verdicts instead.
 */
int probe_main(int argc, char *argv[], char *envp[]);
