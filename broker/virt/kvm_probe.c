/* The proof of KVM. The forked child makes system calls only, which is sound in a process with threads. */
#include "broker/virt/kvm_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define QEMU "/usr/bin/qemu-system-x86_64"
/* The test guest: guest-physical addresses, all in one piece of memory. */
#define GUEST_START 0x1000
#define GUEST_CODE 0x1000
#define GUEST_TABLES 0x2000 /* three pages, that map the first 2 MiB as they are */
#define GUEST_DATA 0x5000
#define GUEST_BYTES 0x5000
#define PROBE_PORT 0x80
#define PROBE_BYTE 0x5a

typedef enum { PROBE_RUNS, PROBE_ABSENT, PROBE_DENIED, PROBE_NO_VM, PROBE_NO_VCPU, PROBE_WRONG } ProbeResult;

#if defined(__x86_64__)

/* 64-bit code with an instruction of Linux' memory allocator, which KVMs that emulate the kernel of their
 * guest (those of some virtual machines) do not know: SeaBIOS comes up under them, and Linux stops. */
static void write_guest(guint8 *memory)
{
    /* clang-format off */
    static const guint8 code[] = {
        0xbd, GUEST_DATA & 0xff, GUEST_DATA >> 8, 0, 0, /* mov ebp, GUEST_DATA: 16 bytes of 0 */
        0x31, 0xc0, 0x31, 0xd2, 0x31, 0xc9,             /* xor eax, eax; xor edx, edx; xor ecx, ecx */
        0xbb, PROBE_BYTE, 0, 0, 0,                      /* mov ebx, PROBE_BYTE */
        0xf0, 0x48, 0x0f, 0xc7, 0x4d, 0,                /* lock cmpxchg16b [rbp] */
        0x8a, 0x45, 0,                                  /* mov al, [rbp] */
        0xe6, PROBE_PORT,                               /* out PROBE_PORT, al */
        0xf4,                                           /* hlt */
    };
    /* clang-format on */
    guint64 *tables = (guint64 *)(void *)(memory + GUEST_TABLES - GUEST_START);

    memcpy(memory + GUEST_CODE - GUEST_START, code, sizeof code);
    tables[0] = (GUEST_TABLES + 0x1000) | 3; /* present, writable */
    tables[512] = (GUEST_TABLES + 0x2000) | 3;
    tables[1024] = 0x80 | 3; /* 2 MiB at once */
}

static void enter_long_mode(struct kvm_sregs *special)
{
    struct kvm_segment code = {
        .limit = 0xffffffff, .selector = 8, .type = 11, .present = 1, .s = 1, .l = 1, .g = 1};
    struct kvm_segment data = {
        .limit = 0xffffffff, .selector = 16, .type = 3, .present = 1, .s = 1, .db = 1, .g = 1};

    special->cs = code;
    special->ds = special->es = special->fs = special->gs = special->ss = data;
    special->cr3 = GUEST_TABLES;
    special->cr4 = 1u << 5;                /* PAE */
    special->cr0 = 1u << 31 | 1u << 4 | 1; /* PG, ET, PE */
    special->efer = 1u << 10 | 1u << 8;    /* LMA, LME */
}

/* With all that the processor has, as QEMU's "host" gives it. */
static gboolean give_features(int kvm, int vcpu)
{
    enum { ENTRIES = 256 };
    static union {
        struct kvm_cpuid2 list;
        guint8 bytes[sizeof(struct kvm_cpuid2) + ENTRIES * sizeof(struct kvm_cpuid_entry2)];
    } features;

    features.list.nent = ENTRIES;
    return ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &features.list) == 0 &&
           ioctl(vcpu, KVM_SET_CPUID2, &features.list) == 0;
}

static ProbeResult make_vcpu(int kvm, int *vcpu, struct kvm_run **run)
{
    struct kvm_userspace_memory_region region = {.guest_phys_addr = GUEST_START, .memory_size = GUEST_BYTES};
    struct kvm_regs registers = {.rip = GUEST_CODE, .rflags = 2};
    struct kvm_sregs special;
    int vm = ioctl(kvm, KVM_CREATE_VM, 0);
    int size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
    void *memory = mmap(NULL, GUEST_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (vm < 0 || size <= 0 || memory == MAP_FAILED)
        return PROBE_NO_VM;
    write_guest(memory);
    region.userspace_addr = (guint64)(gsize)memory;
    if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) < 0)
        return PROBE_NO_VM;
    *vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
    if (*vcpu < 0)
        return PROBE_NO_VCPU;
    *run = mmap(NULL, (gsize)size, PROT_READ | PROT_WRITE, MAP_SHARED, *vcpu, 0);
    if (*run == MAP_FAILED || !give_features(kvm, *vcpu) || ioctl(*vcpu, KVM_GET_SREGS, &special) < 0)
        return PROBE_NO_VCPU;
    enter_long_mode(&special);
    if (ioctl(*vcpu, KVM_SET_SREGS, &special) < 0 || ioctl(*vcpu, KVM_SET_REGS, &registers) < 0)
        return PROBE_NO_VCPU;
    return PROBE_RUNS;
}

static ProbeResult run_guest(void)
{
    struct kvm_run *run = NULL;
    int vcpu = -1;
    gboolean wrote = FALSE;
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    ProbeResult result;

    if (kvm < 0)
        return errno == EACCES || errno == EPERM ? PROBE_DENIED : PROBE_ABSENT;
    if (ioctl(kvm, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
        return PROBE_ABSENT;
    result = make_vcpu(kvm, &vcpu, &run);
    if (result != PROBE_RUNS)
        return result;
    for (;;) {
        if (ioctl(vcpu, KVM_RUN, 0) < 0 && errno != EINTR)
            return PROBE_WRONG;
        if (run->exit_reason == KVM_EXIT_IO && run->io.port == PROBE_PORT)
            wrote = ((guint8 *)run)[run->io.data_offset] == PROBE_BYTE;
        else
            return run->exit_reason == KVM_EXIT_HLT && wrote ? PROBE_RUNS : PROBE_WRONG;
    }
}

#else
static ProbeResult run_guest(void)
{
    return PROBE_ABSENT;
}
#endif

static char *describe(int status)
{
    static const char *const sentences[] = {
        [PROBE_ABSENT] = "there is no usable /dev/kvm",
        [PROBE_DENIED] = "no right to open /dev/kvm (group kvm)",
        [PROBE_NO_VM] = "KVM made no virtual machine",
        [PROBE_NO_VCPU] = "KVM made no virtual CPU",
        [PROBE_WRONG] = "KVM does not run 64-bit code as a processor does",
    };
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;

    if (code > PROBE_RUNS && code <= PROBE_WRONG)
        return g_strdup(sentences[code]);
    return g_strdup_printf("the test of KVM ended with status %d", status);
}

static gboolean prove_vcpu(guint deadline_ms, char **reason)
{
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        _exit(run_guest());
    }
    if (child < 0) {
        *reason = g_strdup_printf("no process for the test of KVM: %s", g_strerror(errno));
        return FALSE;
    }
    int pidfd = (int)syscall(SYS_pidfd_open, child, 0);
    struct pollfd ended = {.fd = pidfd, .events = POLLIN};
    int ready = pidfd < 0 ? 0 : poll(&ended, 1, (int)deadline_ms);
    if (pidfd >= 0 && ready == 0) {
        *reason = g_strdup_printf("the test guest got nowhere within %u ms", deadline_ms);
        kill(child, SIGKILL);
        /* It may spin in the kernel: do not wait for it longer than this. */
        poll(&ended, 1, 1000);
        waitpid(child, &status, WNOHANG);
    } else {
        waitpid(child, &status, 0);
    }
    if (pidfd >= 0)
        close(pidfd);
    if (*reason)
        return FALSE;
    if (WIFEXITED(status) && WEXITSTATUS(status) == PROBE_RUNS)
        return TRUE;
    *reason = describe(status);
    return FALSE;
}

/* Kills with the thread that made it, as the other child does; runs between fork and exec. */
static void die_with_parent(gpointer data)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* SeaBIOS writes what it does to the port of the debug console. */
static gboolean prove_qemu(guint deadline_ms, char **reason)
{
    const char *arguments[] = {QEMU,
                               "-accel",
                               "kvm",
                               "-cpu",
                               "host",
                               "-machine",
                               "q35",
                               "-m",
                               "32",
                               "-nodefaults",
                               "-no-user-config",
                               "-display",
                               "none",
                               "-chardev",
                               "stdio,id=console",
                               "-device",
                               "isa-debugcon,iobase=0x402,chardev=console",
                               NULL};
    g_autoptr(GError) error = NULL;
    struct pollfd output = {.events = POLLIN};
    GPid child;
    char byte;
    gboolean spoke = FALSE;

    if (!g_spawn_async_with_pipes(NULL, (char **)arguments, NULL,
                                  G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDERR_TO_DEV_NULL, die_with_parent,
                                  NULL, &child, NULL, &output.fd, NULL, &error)) {
        *reason = g_strdup_printf("QEMU could not be run: %s", error->message);
        return FALSE;
    }
    if (poll(&output, 1, (int)deadline_ms) > 0)
        spoke = read(output.fd, &byte, 1) == 1;
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(output.fd);
    if (!spoke)
        *reason = g_strdup("KVM runs a test guest, but not QEMU");
    return spoke;
}

gboolean kvm_probe(guint deadline_ms, char **reason)
{
    *reason = NULL;
    return prove_vcpu(deadline_ms, reason) && prove_qemu(deadline_ms, reason);
}
