/* fernwerk-certificates: an own certificate authority with one certificate for RDP and VNC and another for
 * the web. A program of its own that fernwerk-setup runs as root before anything listens, and ends: OpenSSL
 * never lives in what reads the configuration. */
#include "base/config.h"
#include "base/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CA_DAYS 3650
#define LEAF_DAYS 825
#define RENEW_DAYS 60
#define DAY_S 86400L
#define NAMES_MAX 64

G_DEFINE_AUTOPTR_CLEANUP_FUNC(X509, X509_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY, EVP_PKEY_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BIO, BIO_free)

typedef struct {
    X509 *certificate;
    EVP_PKEY *key;
} Pair;

static Config *config;
static char *tls_dir;

static char *file_in(const char *name, const char *ending)
{
    return g_strdup_printf("%s/%s.%s", tls_dir, name, ending);
}

static gboolean write_file(const char *path, BIO *content, mode_t mode)
{
    char *bytes;
    long length = BIO_get_mem_data(content, &bytes);
    g_autoptr(GError) error = NULL;
    if (g_file_set_contents_full(path, bytes, length,
                                 G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, (int)mode,
                                 &error))
        return TRUE;
    log_error("%s", error->message);
    return FALSE;
}

static X509 *read_certificate(const char *path)
{
    g_autoptr(BIO) file = BIO_new_file(path, "r");
    return file ? PEM_read_bio_X509(file, NULL, NULL, NULL) : NULL;
}

static EVP_PKEY *read_key(const char *path)
{
    g_autoptr(BIO) file = BIO_new_file(path, "r");
    return file ? PEM_read_bio_PrivateKey(file, NULL, NULL, NULL) : NULL;
}

static gboolean expires_soon(const X509 *certificate)
{
    time_t soon = time(NULL) + RENEW_DAYS * DAY_S;
    return X509_cmp_time(X509_get0_notAfter(certificate), &soon) <= 0;
}

static void add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    g_assert(extension);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

static X509 *new_certificate(EVP_PKEY *key, const char *name, long days)
{
    X509 *certificate = X509_new();
    unsigned char serial[16];
    BIGNUM *number;

    g_assert(RAND_bytes(serial, sizeof serial) == 1);
    serial[0] &= 0x7f;
    number = BN_bin2bn(serial, sizeof serial, NULL);
    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
    BN_free(number);
    X509_set_version(certificate, X509_VERSION_3);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600); /* clients' clocks are not ours */
    X509_gmtime_adj(X509_getm_notAfter(certificate), days * DAY_S);
    X509_set_pubkey(certificate, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "O", MBSTRING_UTF8,
                               (const guchar *)"Fernwerk", -1, -1, 0);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8, (const guchar *)name,
                               -1, -1, 0);
    return certificate;
}

static gboolean save(const char *name, const Pair *pair, const X509 *ca)
{
    g_autofree char *certificate_path = file_in(name, "pem"), *key_path = file_in(name, "key");
    g_autoptr(BIO) certificate = BIO_new(BIO_s_mem());
    g_autoptr(BIO) key = BIO_new(BIO_s_secmem());
    PEM_write_bio_X509(certificate, pair->certificate);
    if (ca)
        PEM_write_bio_X509(certificate, (X509 *)ca);
    PEM_write_bio_PKCS8PrivateKey(key, pair->key, NULL, NULL, 0, NULL, NULL);
    return write_file(key_path, key, 0600) && write_file(certificate_path, certificate, 0644);
}

static gboolean make_ca(const char *host, Pair *ca)
{
    g_autofree char *certificate = file_in("ca", "pem"), *key = file_in("ca", "key");
    g_autofree char *name = g_strndup(host, 40), *title = g_strdup_printf("Fernwerk CA on %s", name);

    ca->certificate = read_certificate(certificate);
    ca->key = read_key(key);
    if (ca->certificate && ca->key && X509_check_private_key(ca->certificate, ca->key) == 1 &&
        !expires_soon(ca->certificate))
        return TRUE;
    X509_free(ca->certificate);
    EVP_PKEY_free(ca->key);
    ca->key = EVP_EC_gen("P-256");
    ca->certificate = new_certificate(ca->key, title, CA_DAYS);
    X509_set_issuer_name(ca->certificate, X509_get_subject_name(ca->certificate));
    add_extension(ca->certificate, ca->certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
    add_extension(ca->certificate, ca->certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
    add_extension(ca->certificate, ca->certificate, NID_subject_key_identifier, "hash");
    X509_sign(ca->certificate, ca->key, EVP_sha256());
    log_info("a certificate authority was made: %s", certificate);
    return save("ca", ca, NULL);
}

static gboolean is_covered(X509 *certificate, const char *name)
{
    return g_hostname_is_ip_address(name) ? X509_check_ip_asc(certificate, name, 0) == 1
                                          : X509_check_host(certificate, name, 0, 0, NULL) == 1;
}

static gboolean is_good(const char *name, const Pair *ca, GPtrArray *names)
{
    g_autofree char *certificate_path = file_in(name, "pem"), *key_path = file_in(name, "key");
    g_autoptr(X509) certificate = read_certificate(certificate_path);
    g_autoptr(EVP_PKEY) key = read_key(key_path);
    if (!certificate || !key || X509_check_private_key(certificate, key) != 1 || expires_soon(certificate) ||
        X509_verify(certificate, ca->key) != 1)
        return FALSE;
    for (guint i = 0; i < names->len; i++)
        if (!is_covered(certificate, names->pdata[i]))
            return FALSE;
    return TRUE;
}

static gboolean make_leaf(const char *name, const Pair *ca, const char *host, GPtrArray *names)
{
    g_autoptr(GString) alternatives = g_string_new(NULL);
    g_autofree char *title = g_strndup(host, 64);

    if (is_good(name, ca, names))
        return TRUE;
    for (guint i = 0; i < names->len; i++)
        g_string_append_printf(alternatives, "%s%s:%s", i ? "," : "",
                               g_hostname_is_ip_address(names->pdata[i]) ? "IP" : "DNS",
                               (char *)names->pdata[i]);
    g_autoptr(EVP_PKEY) key = EVP_EC_gen("P-256");
    g_autoptr(X509) certificate = new_certificate(key, title, LEAF_DAYS);
    X509_set_issuer_name(certificate, X509_get_subject_name(ca->certificate));
    add_extension(certificate, ca->certificate, NID_basic_constraints, "critical,CA:FALSE");
    add_extension(certificate, ca->certificate, NID_key_usage, "critical,digitalSignature");
    add_extension(certificate, ca->certificate, NID_ext_key_usage, "serverAuth");
    add_extension(certificate, ca->certificate, NID_subject_key_identifier, "hash");
    add_extension(certificate, ca->certificate, NID_authority_key_identifier, "keyid");
    add_extension(certificate, ca->certificate, NID_subject_alt_name, alternatives->str);
    X509_sign(certificate, ca->key, EVP_sha256());
    Pair pair = {certificate, key};
    log_info("a certificate was made: %s/%s.pem for %s", tls_dir, name, alternatives->str);
    return save(name, &pair, ca->certificate);
}

static gboolean is_name(const char *text)
{
    for (const char *p = text; *p; p++)
        if (!g_ascii_isalnum(*p) && !strchr("-._:", *p))
            return FALSE;
    return *text && strlen(text) <= 255;
}

static void add_name(GPtrArray *names, const char *name)
{
    if (is_name(name) && names->len < NAMES_MAX &&
        !g_ptr_array_find_with_equal_func(names, name, g_str_equal, NULL))
        g_ptr_array_add(names, g_strdup(name));
}

static void add_addresses(GPtrArray *names)
{
    struct ifaddrs *all = NULL;
    if (getifaddrs(&all) < 0)
        return;
    for (struct ifaddrs *one = all; one; one = one->ifa_next) {
        char text[INET6_ADDRSTRLEN] = "";
        if (one->ifa_addr && one->ifa_addr->sa_family == AF_INET)
            inet_ntop(AF_INET, &((struct sockaddr_in *)one->ifa_addr)->sin_addr, text, sizeof text);
        else if (one->ifa_addr && one->ifa_addr->sa_family == AF_INET6 &&
                 !IN6_IS_ADDR_LINKLOCAL(&((struct sockaddr_in6 *)one->ifa_addr)->sin6_addr))
            inet_ntop(AF_INET6, &((struct sockaddr_in6 *)one->ifa_addr)->sin6_addr, text, sizeof text);
        if (*text)
            add_name(names, text);
    }
    freeifaddrs(all);
}

/* The names under which clients reach the listeners. */
static GPtrArray *collect_names(const char *host)
{
    static const char *const keys[] = {"listen.rdp", "listen.vnc", "listen.https"};
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    g_auto(GStrv) more = g_strsplit_set(config_string(config, "tls.names"), " ,", -1);
    gboolean all = FALSE;

    add_name(names, host);
    add_name(names, "localhost");
    add_name(names, "127.0.0.1");
    add_name(names, "::1");
    for (guint i = 0; more[i]; i++)
        add_name(names, more[i]);
    for (guint k = 0; k < G_N_ELEMENTS(keys); k++) {
        g_autoptr(GPtrArray) list = config_endpoints(config_string(config, keys[k]), NULL);
        for (guint i = 0; list && i < list->len; i++) {
            const char *address = ((const Endpoint *)list->pdata[i])->host;
            gboolean any =
                strcmp(address, "*") == 0 || strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0;
            all |= any;
            if (!any)
                add_name(names, address);
        }
    }
    if (all)
        add_addresses(names);
    return names;
}

static gboolean make_all(void)
{
    const char *host = g_get_host_name();
    Pair ca = {NULL, NULL};
    gboolean own_rdp = !*config_string(config, "tls.rdp_key"),
             own_web = !*config_string(config, "tls.web_key");
    g_autoptr(GPtrArray) names = collect_names(host);
    gboolean made = make_ca(host, &ca) && (!own_rdp || make_leaf("rdp", &ca, host, names)) &&
                    (!own_web || make_leaf("web", &ca, host, names));
    X509_free(ca.certificate);
    EVP_PKEY_free(ca.key);
    return made;
}

int main(int argc, char *argv[])
{
    g_autoptr(GError) error = NULL;
    struct stat status;

    log_open("fernwerk-certificates", LOG_LEVEL_INFO);
    if (argc != 3 || strcmp(argv[1], "--config") != 0) {
        fprintf(stderr, "Usage: fernwerk-certificates --config PATH\n");
        return 2;
    }
    config = config_load(argv[2], &error);
    if (!config) {
        log_error("%s", error->message);
        return 1;
    }
    tls_dir = config_state_path(config, NULL, "tls");
    gboolean made = g_mkdir_with_parents(tls_dir, 0755) == 0 && stat(tls_dir, &status) == 0 &&
                    status.st_uid == geteuid() && chmod(tls_dir, 0755) == 0;
    if (!made)
        log_error("cannot make the folder %s: %s", tls_dir, g_strerror(errno));
    made = made && make_all();
    config_free(config);
    g_free(tls_dir);
    return made ? 0 : 1;
}
