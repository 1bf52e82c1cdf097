/* QEMU and its monitor. */
#include "vm.h"

#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define QEMU "/usr/bin/qemu-system-x86_64"

static char *read_line(int fd)
{
    GString *line = g_string_new(NULL);
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    char byte;

    for (;;) {
        ck_assert_msg(poll(&poll_fd, 1, 120000) == 1, "QEMU's monitor is silent");
        ck_assert_int_eq(read(fd, &byte, 1), 1);
        if (byte == '\n')
            return g_string_free(line, FALSE);
        g_string_append_c(line, byte);
    }
}

char *vm_command(Vm *vm, const char *json, int fd)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof fd)];
    } control = {0};
    struct iovec iov = {.iov_base = (void *)json, .iov_len = strlen(json)};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};

    if (fd >= 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof control.bytes;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(header), &fd, sizeof fd);
    }
    ck_assert_int_gt(sendmsg(vm->monitor, &message, MSG_NOSIGNAL), 0);
    for (;;) {
        char *line = read_line(vm->monitor);
        if (strstr(line, "\"return\"") || strstr(line, "\"error\""))
            return line;
        g_free(line);
    }
}

static void command(Vm *vm, const char *json, int fd)
{
    g_autofree char *answer = vm_command(vm, json, fd);
    ck_assert_msg(strstr(answer, "\"return\""), "%s: %s", json, answer);
}

gboolean vm_available(void)
{
    return g_file_test(QEMU, G_FILE_TEST_IS_EXECUTABLE);
}

void vm_start(Vm *vm, const char *const *arguments)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    int ends[2];

    vm->folder = g_dir_make_tmp("fernwerk-vm-XXXXXX", NULL);
    vm->serial = g_build_filename(vm->folder, "serial", NULL);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    g_autofree char *monitor = g_strdup_printf("socket,id=monitor,fd=%d", ends[1]);
    g_autofree char *serial = g_strdup_printf("file:%s", vm->serial);
    const char *common[] = {QEMU,
                            "-machine",
                            "q35,accel=tcg",
                            "-m",
                            "256",
                            "-nodefaults",
                            "-no-user-config",
                            "-display",
                            "dbus,p2p=on",
                            "-chardev",
                            monitor,
                            "-mon",
                            "chardev=monitor,mode=control",
                            "-serial",
                            serial};
    for (guint i = 0; i < G_N_ELEMENTS(common); i++)
        g_ptr_array_add(argv, (char *)common[i]);
    for (guint i = 0; arguments[i]; i++)
        g_ptr_array_add(argv, (char *)arguments[i]);
    g_ptr_array_add(argv, NULL);
    vm->pid = fork();
    if (vm->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        fcntl(ends[1], F_SETFD, 0);
        execv(QEMU, (char **)argv->pdata);
        _exit(127);
    }
    close(ends[1]);
    vm->monitor = ends[0];
    g_free(read_line(vm->monitor));
    command(vm, "{\"execute\":\"qmp_capabilities\"}", -1);
}

void vm_stop(Vm *vm)
{
    g_autofree char *screen = g_build_filename(vm->folder, "screen", NULL);
    kill(vm->pid, SIGKILL);
    waitpid(vm->pid, NULL, 0);
    close(vm->monitor);
    unlink(vm->serial);
    unlink(screen);
    rmdir(vm->folder);
    g_free(vm->folder);
    g_free(vm->serial);
}

void vm_open_display(Vm *vm, int fd)
{
    command(vm, "{\"execute\":\"getfd\",\"arguments\":{\"fdname\":\"seat\"}}", fd);
    command(vm,
            "{\"execute\":\"add_client\",\"arguments\":{\"protocol\":\"@dbus-display\",\"fdname\":\"seat\"}}",
            -1);
}

guint8 *vm_screen(Vm *vm, guint *width, guint *height)
{
    g_autofree char *path = g_build_filename(vm->folder, "screen", NULL);
    g_autofree char *json =
        g_strdup_printf("{\"execute\":\"screendump\",\"arguments\":{\"filename\":\"%s\"}}", path);
    g_autofree char *text = NULL;
    gsize length;
    int header = 0;

    command(vm, json, -1);
    ck_assert(g_file_get_contents(path, &text, &length, NULL));
    ck_assert_int_eq(sscanf(text, "P6 %u %u 255%n", width, height, &header), 2);
    ck_assert_uint_eq(length, header + 1 + (gsize)*width * *height * 3);
    return g_memdup2(text + header + 1, length - header - 1);
}

gboolean vm_serial_has(Vm *vm, const char *text, guint ms)
{
    gint64 deadline = g_get_monotonic_time() + ms * 1000ll;
    while (g_get_monotonic_time() < deadline) {
        g_autofree char *log = NULL;
        if (g_file_get_contents(vm->serial, &log, NULL, NULL) && strstr(log, text))
            return TRUE;
        poll(NULL, 0, 20);
    }
    return FALSE;
}

const char *vm_tiny_guest(void)
{
    const char *folder = g_getenv("FERNWERK_TINY");
    if (!folder)
        folder = FERNWERK_TINY_DEFAULT;
    g_autofree char *kernel = g_build_filename(folder, "kernel", NULL);
    return g_file_test(kernel, G_FILE_TEST_EXISTS) ? folder : NULL;
}
