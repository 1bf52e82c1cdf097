/* The pure parts of broker/virt: domain XML, libvirt's errors in our words, a desktop's files. */
#include "broker/virt/disk.h"
#include "broker/virt/domain_xml.h"
#include "broker/virt/kvm_probe.h"
#include "broker/virt/libvirt_error.h"
#include "tests/unit/suite.h"

#include <glib/gstdio.h>
#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INSTANCE "6f2b8a52-6c29-4a7e-9d52-0a5b3b1d2c11"

static DomainSpec spec(void)
{
    return (DomainSpec){.uuid = "11111111-2222-4333-8444-555555555555",
                        .domain = "fw-d1",
                        .name = "d1",
                        .disk = "/images/d1.qcow2",
                        .image = "/images/base.qcow2",
                        .memory_mib = 512,
                        .vcpus = 2};
}

static DomainPlace place(void)
{
    return (DomainPlace){
        .instance = INSTANCE, .nvram = "/images/d1.nvram", .serial_log = "/images/serial/d1.log"};
}

static char *build(const DomainSpec *a, const DomainPlace *b)
{
    char *xml = domain_xml_build(a, b);
    ck_assert_ptr_nonnull(xml);
    return xml;
}

static void assert_has(const char *xml, const char *part)
{
    ck_assert_msg(strstr(xml, part) != NULL, "missing %s in\n%s", part, xml);
}

static void assert_lacks(const char *xml, const char *part)
{
    ck_assert_msg(strstr(xml, part) == NULL, "there is %s in\n%s", part, xml);
}

START_TEST(an_emulated_vm_has_overlay_dbus_display_channels_and_serial_log)
{
    DomainSpec s = spec();
    DomainPlace p = place();
    g_autofree char *xml = build(&s, &p);

    assert_has(xml, "<domain type=\"qemu\">");
    assert_has(xml, "<name>fw-d1</name>");
    assert_has(xml, "<cpu mode=\"maximum\"/>");
    assert_has(xml, "<memory unit=\"MiB\">512</memory>");
    assert_has(xml, "<source file=\"/images/d1.qcow2\"/>");
    assert_has(xml, "<graphics type=\"dbus\" p2p=\"yes\"/>");
    assert_has(xml, "name=\"com.redhat.spice.0\"");
    assert_has(xml, "name=\"org.qemu.guest_agent.0\"");
    assert_has(xml, "<log file=\"/images/serial/d1.log\"");
    assert_has(xml, "<on_crash>destroy</on_crash>");
    assert_has(xml, "<boot dev=\"hd\"/>");
    assert_lacks(xml, "<interface");
    assert_lacks(xml, "nvram");
}
END_TEST

START_TEST(a_vm_under_kvm_gets_the_hosts_processor)
{
    DomainSpec s = spec();
    DomainPlace p = place();
    p.kvm = TRUE;
    g_autofree char *xml = build(&s, &p);
    assert_has(xml, "<domain type=\"kvm\">");
    assert_has(xml, "mode=\"host-passthrough\"");
    assert_lacks(xml, "tb-cache");
}
END_TEST

START_TEST(a_kernel_is_booted_directly_and_without_an_image_there_is_no_disk)
{
    DomainSpec s = spec();
    DomainPlace p = place();
    s.image = "";
    s.kernel = "/k";
    s.initrd = "/i";
    s.cmdline = "console=ttyS0";
    g_autofree char *xml = build(&s, &p);
    assert_has(xml, "<kernel>/k</kernel>");
    assert_has(xml, "<initrd>/i</initrd>");
    assert_has(xml, "<cmdline>console=ttyS0</cmdline>");
    assert_lacks(xml, "<disk");
    assert_lacks(xml, "<boot ");
}
END_TEST

START_TEST(standard_vga_comes_with_usb_input_and_uefi_with_its_variables)
{
    DomainSpec s = spec();
    DomainPlace p = place();
    s.video = DOMAIN_VIDEO_VGA;
    s.uefi = TRUE;
    g_autofree char *xml = build(&s, &p);
    assert_has(xml, "<model type=\"vga\"/>");
    assert_has(xml, "<input type=\"tablet\" bus=\"usb\"/>");
    assert_has(xml, "firmware=\"efi\"");
    assert_has(xml, "<nvram>/images/d1.nvram</nvram>");
}
END_TEST

START_TEST(texts_with_markup_stay_texts)
{
    DomainSpec s = spec();
    DomainPlace p = place();
    s.kernel = "/k";
    s.cmdline = "a</cmdline><x>&\"'";
    s.disk = "/a\"/><evil b=\"";
    g_autofree char *xml = build(&s, &p);
    assert_has(xml, "a&lt;/cmdline&gt;&lt;x&gt;&amp;");
    assert_lacks(xml, "<evil");
    assert_lacks(xml, "<x>");
}
END_TEST

START_TEST(our_own_identity_is_read_back_and_no_other_instance_has_it)
{
    DomainSpec s = spec();
    DomainPlace p = place();
    g_autofree char *xml = build(&s, &p);
    const char *start = strstr(xml, "<fernwerk:desktop"), *end = strstr(start, "/>");
    g_autofree char *element = g_strndup(start, end + 2 - start);
    g_autofree char *name = NULL;

    ck_assert(domain_xml_identity(element, INSTANCE, &name));
    ck_assert_str_eq(name, "d1");
    ck_assert(domain_xml_identity("<desktop instance='" INSTANCE "' name='d1'/>", INSTANCE, NULL));
    ck_assert(!domain_xml_identity(element, "6f2b8a52-6c29-4a7e-9d52-0a5b3b1d2c12", NULL));
}
END_TEST

START_TEST(metadata_that_is_missing_broken_or_of_another_namespace_is_not_ours)
{
    const char *const others[] = {NULL,
                                  "",
                                  "<desktop",
                                  "<other instance='" INSTANCE "' name='d1'/>",
                                  "<f:desktop xmlns:f='urn:other' instance='" INSTANCE "' name='d1'/>",
                                  "<f:other xmlns:f='" DOMAIN_XML_NAMESPACE "' instance='" INSTANCE
                                  "' name='d1'/>",
                                  "<f:desktop xmlns:f='" DOMAIN_XML_NAMESPACE "' name='d1'/>"};
    for (guint i = 0; i < G_N_ELEMENTS(others); i++)
        ck_assert_msg(!domain_xml_identity(others[i], INSTANCE, NULL), "%s", others[i]);
}
END_TEST

typedef struct {
    int code, domain;
    const char *text;
    HypervisorError error;
} Case;

START_TEST(each_fault_of_libvirt_gets_the_error_its_reader_can_act_on)
{
    static const Case cases[] = {
        {VIR_ERR_SYSTEM_ERROR, VIR_FROM_RPC,
         "Failed to connect socket to '/var/run/libvirt/libvirt-sock': No such file or directory",
         HYPERVISOR_ERROR_UNREACHABLE},
        {VIR_ERR_SYSTEM_ERROR, VIR_FROM_RPC,
         "Failed to connect socket to '/var/run/libvirt/libvirt-sock': Permission denied",
         HYPERVISOR_ERROR_DENIED},
        {VIR_ERR_AUTH_UNAVAILABLE, VIR_FROM_RPC, "authentication unavailable: no polkit agent",
         HYPERVISOR_ERROR_DENIED},
        {VIR_ERR_INTERNAL_ERROR, VIR_FROM_RPC, "client socket is closed", HYPERVISOR_ERROR_UNREACHABLE},
        {VIR_ERR_INTERNAL_ERROR, VIR_FROM_QEMU,
         "process exited while connecting to monitor: cannot set up guest memory 'pc.ram': Cannot allocate "
         "memory",
         HYPERVISOR_ERROR_NO_MEMORY},
        {VIR_ERR_CONFIG_UNSUPPORTED, VIR_FROM_QEMU, "Emulator: unable to find any emulator to serve 'x86_64'",
         HYPERVISOR_ERROR_NO_EMULATOR},
        {VIR_ERR_SYSTEM_ERROR, VIR_FROM_NONE,
         "Cannot access storage file '/a.qcow2' (as uid:64055, gid:993): Permission denied",
         HYPERVISOR_ERROR_IMAGE_DENIED},
        {VIR_ERR_SYSTEM_ERROR, VIR_FROM_NONE,
         "Cannot access storage file '/a.qcow2' (as uid:64055, gid:993): No such file or directory",
         HYPERVISOR_ERROR_IMAGE_MISSING},
        {VIR_ERR_INTERNAL_ERROR, VIR_FROM_QEMU, "Could not open '/a': Failed to get \"write\" lock",
         HYPERVISOR_ERROR_DISK_BUSY},
        {VIR_ERR_OPERATION_FAILED, VIR_FROM_QEMU, "domain 'fw-d1' already exists with uuid 1",
         HYPERVISOR_ERROR_NOT_OURS},
        {VIR_ERR_NO_DOMAIN, VIR_FROM_QEMU, "Domain not found", HYPERVISOR_ERROR_OFF},
        {VIR_ERR_INTERNAL_ERROR, VIR_FROM_QEMU, "something new", HYPERVISOR_ERROR_FAILED},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        libvirt_error_translate(cases[i].code, cases[i].domain, cases[i].text, "started", &error);
        ck_assert_msg(g_error_matches(error, HYPERVISOR_ERROR, (int)cases[i].error), "%s -> %d %s",
                      cases[i].text, error->code, error->message);
    }
}
END_TEST

START_TEST(a_libvirt_on_another_machine_is_refused_with_the_reason)
{
    const char *const remote[] = {"qemu+ssh://root@host/system", "qemu+tls://host/system",
                                  "qemu://host/system", "qemu+tcp:///system", "not a uri"};
    for (guint i = 0; i < G_N_ELEMENTS(remote); i++) {
        g_autoptr(GError) error = NULL;
        ck_assert_msg(!libvirt_uri_is_local(remote[i], &error), "%s", remote[i]);
        ck_assert(g_error_matches(error, HYPERVISOR_ERROR, HYPERVISOR_ERROR_REMOTE));
    }
    ck_assert(libvirt_uri_is_local("qemu:///system", NULL));
    ck_assert(libvirt_uri_is_local("qemu+unix:///system", NULL));
}
END_TEST

START_TEST(an_overlay_is_made_once_on_its_image_and_removed_with_what_belongs_to_it)
{
    g_autofree char *dir = g_dir_make_tmp("virt-XXXXXX", NULL);
    g_autofree char *image = g_build_filename(dir, "base.qcow2", NULL);
    g_autofree char *disk = g_build_filename(dir, "d1.qcow2", NULL);
    g_autofree char *command = g_strdup_printf("/usr/bin/qemu-img create -q -f qcow2 %s 1M", image);
    g_autofree char *info = g_strdup_printf("/usr/bin/qemu-img info %s", disk);
    g_autofree char *said = NULL, *after = NULL;
    g_autofree char *serial = g_build_filename(dir, "serial", NULL);
    gsize size;
    g_autoptr(GError) error = NULL;
    DomainSpec s = spec();

    s.image = image;
    s.disk = disk;
    ck_assert(g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL));
    ck_assert(disk_folders(dir, NULL));
    ck_assert(disk_prepare(disk, image, &error));
    ck_assert(g_spawn_command_line_sync(info, &said, NULL, NULL, NULL));
    assert_has(said, image);
    ck_assert(g_file_set_contents(disk, "the user's data", -1, NULL));
    ck_assert(disk_prepare(disk, image, &error));
    ck_assert(g_file_get_contents(disk, &after, &size, NULL));
    ck_assert_str_eq(after, "the user's data");
    ck_assert(disk_remove(dir, &s, &error));
    ck_assert_int_ne(access(disk, F_OK), 0);
    ck_assert(disk_remove(dir, &s, &error));
    g_unlink(image);
    g_rmdir(serial);
    ck_assert_int_eq(g_rmdir(dir), 0);
}
END_TEST

START_TEST(a_missing_image_and_too_much_memory_are_told_before_qemu_is_tried)
{
    g_autoptr(GError) image = NULL, memory = NULL;
    DomainSpec s = spec();

    s.image = "/nowhere/base.qcow2";
    ck_assert(!disk_check(&s, &image));
    ck_assert(g_error_matches(image, HYPERVISOR_ERROR, HYPERVISOR_ERROR_IMAGE_MISSING));
    assert_has(image->message, "/nowhere/base.qcow2");
    ck_assert(!disk_memory_available(G_MAXUINT - 4096, &memory));
    ck_assert(g_error_matches(memory, HYPERVISOR_ERROR, HYPERVISOR_ERROR_NO_MEMORY));
    ck_assert(disk_memory_available(1, NULL));
}
END_TEST

START_TEST(the_proof_of_kvm_ends_in_time_and_gives_a_reason_when_it_fails)
{
    g_autofree char *reason = NULL;
    gint64 start = g_get_monotonic_time();
    gboolean proven = kvm_probe(1000, &reason);

    ck_assert_int_lt(g_get_monotonic_time() - start, 3 * G_USEC_PER_SEC);
    ck_assert_int_eq(proven, reason == NULL);
    if (reason)
        g_print("KVM: %s\n", reason);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("virt");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, an_emulated_vm_has_overlay_dbus_display_channels_and_serial_log);
    tcase_add_test(tcase, a_vm_under_kvm_gets_the_hosts_processor);
    tcase_add_test(tcase, a_kernel_is_booted_directly_and_without_an_image_there_is_no_disk);
    tcase_add_test(tcase, standard_vga_comes_with_usb_input_and_uefi_with_its_variables);
    tcase_add_test(tcase, texts_with_markup_stay_texts);
    tcase_add_test(tcase, our_own_identity_is_read_back_and_no_other_instance_has_it);
    tcase_add_test(tcase, metadata_that_is_missing_broken_or_of_another_namespace_is_not_ours);
    tcase_add_test(tcase, each_fault_of_libvirt_gets_the_error_its_reader_can_act_on);
    tcase_add_test(tcase, a_libvirt_on_another_machine_is_refused_with_the_reason);
    tcase_add_test(tcase, an_overlay_is_made_once_on_its_image_and_removed_with_what_belongs_to_it);
    tcase_add_test(tcase, a_missing_image_and_too_much_memory_are_told_before_qemu_is_tried);
    tcase_add_test(tcase, the_proof_of_kvm_ends_in_time_and_gives_a_reason_when_it_fails);
    return suite_run("virt", tcase);
}
