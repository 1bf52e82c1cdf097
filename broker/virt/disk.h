/* The files of a desktop's VM below image_dir: its overlay, UEFI variables, serial log. Everything here may
 * block: worker threads only. Errors are HYPERVISOR_ERROR with a sentence for a person. */
#pragma once

#include "broker/virt/hypervisor.h"

/* UEFI's variables of a desktop, and the log of its serial port. Caller frees. */
char *disk_nvram_path(const DomainSpec *spec);
char *disk_serial_path(const char *image_dir, const DomainSpec *spec);

/* Makes image_dir and serial/ where they are missing. */
gboolean disk_folders(const char *image_dir, GError **error);

/* Checks that the template's files are there and, where we may look, readable. */
gboolean disk_check(const DomainSpec *spec, GError **error);

/* Makes the overlay on spec->image with qemu-img unless it exists: first under another name, so that a crash
 * leaves no half disk. */
gboolean disk_prepare(const char *overlay, const char *image, GError **error);

/* Whether the desktop has any of the files that disk_remove() deletes. */
gboolean disk_exists(const char *image_dir, const DomainSpec *spec);

/* Deletes overlay, variables and serial log; a file that is not there is no error. */
gboolean disk_remove(const char *image_dir, const DomainSpec *spec, GError **error);

/* FALSE when this machine has less than `mib` MiB to give now, going by the kernel's own estimate. */
gboolean disk_memory_available(guint mib, GError **error);
