/* Users, desktops, assignments, leases and connections: who may, and what ends when he no longer may. */
#include "tests/unit/store/harness.h"
#include "tests/unit/suite.h"

#include <string.h>

static void setup(void)
{
    harness_open();
    make_template("t");
    make_user("alice");
    make_user("bob");
    make_desktop("d1");
    make_desktop("d2");
}

START_TEST(names_are_unique_without_case)
{
    ck_assert_int_eq(RESULT(store_user_add, "test", "ALICE", FALSE, "$argon2id$x"), STORE_CONFLICT);
    StoreReply *reply = CALL(store_user_show, "Alice");
    ck_assert_int_eq(reply->result, STORE_OK);
    ck_assert_str_eq(reply->user->name, "alice");
}
END_TEST

START_TEST(what_is_not_there_is_told_with_a_sentence_and_a_hint)
{
    StoreReply *reply = CALL(store_user_show, "nobody");
    ck_assert_int_eq(reply->result, STORE_NOT_FOUND);
    ck_assert_str_eq(reply->message, "There is no user nobody.");
    ck_assert_str_eq(reply->hint, "fernwerk user list");
    ck_assert_int_eq(RESULT(store_desktop_show, "nothing"), STORE_NOT_FOUND);
    ck_assert_int_eq(RESULT(store_template_show, "nothing"), STORE_NOT_FOUND);
    ck_assert_int_eq(RESULT(store_assign, "test", "d1", "nobody"), STORE_NOT_FOUND);
    ck_assert_int_eq(RESULT(store_assign, "test", "nothing", "alice"), STORE_NOT_FOUND);
    ck_assert_int_eq(RESULT(store_connection_kill, "test", 77), STORE_NOT_FOUND);
}
END_TEST

START_TEST(hashes_are_only_in_the_answer_that_is_for_them)
{
    ck_assert_ptr_null(CALL(store_user_show, "alice")->user->hash);
    ck_assert_str_eq(CALL(store_user_secret, "alice")->user->hash, "$argon2id$x");
}
END_TEST

START_TEST(a_desktop_has_one_user_and_assigning_twice_to_the_same_is_fine)
{
    StoreReply *reply = CALL(store_assign, "test", "d1", "alice");
    ck_assert_int_eq(reply->result, STORE_OK);
    ck_assert_str_eq(reply->desktop->assigned, "alice");
    ck_assert_int_eq(RESULT(store_assign, "test", "d1", "ALICE"), STORE_OK);
    reply = CALL(store_assign, "test", "d1", "bob");
    ck_assert_int_eq(reply->result, STORE_CONFLICT);
    ck_assert_str_eq(reply->hint, "fernwerk unassign d1");
}
END_TEST

START_TEST(a_template_in_use_stays)
{
    ck_assert_int_eq(RESULT(store_template_remove, "test", "t"), STORE_CONFLICT);
    make_template("u");
    ck_assert_int_eq(RESULT(store_template_remove, "test", "u"), STORE_OK);
    ck_assert_int_eq(RESULT(store_template_show, "u"), STORE_NOT_FOUND);
}
END_TEST

START_TEST(two_desktops_never_share_a_domain_or_a_disk)
{
    g_autofree char *uuid = g_uuid_string_random();
    ck_assert_int_eq(RESULT(store_desktop_create, "test", "d3", "t", "fw-d1", uuid, "/disks/d3"),
                     STORE_CONFLICT);
    ck_assert_int_eq(RESULT(store_desktop_create, "test", "d3", "t", "fw-d3", uuid, "/disks/d1"),
                     STORE_CONFLICT);
    ck_assert_int_eq(RESULT(store_desktop_adopt, "test", "d2", "fw-d1", uuid), STORE_CONFLICT);
    ck_assert_int_eq(RESULT(store_desktop_adopt, "test", "d2", "other", uuid), STORE_OK);
}
END_TEST

START_TEST(only_the_assigned_user_gets_the_desktop)
{
    ck_assert_int_eq(grant("alice", "d1")->result, STORE_DENIED);
    CALL(store_assign, "test", "d1", "alice");
    ck_assert_int_eq(grant("bob", "d1")->result, STORE_DENIED);
    ck_assert_int_eq(grant("alice", "d1")->result, STORE_OK);
    ck_assert_uint_eq(audited("connect", "denied"), 2);
    ck_assert_uint_eq(audited("connect", "ok"), 1);
}
END_TEST

START_TEST(a_second_connection_takes_over_under_the_same_lease)
{
    CALL(store_assign, "test", "d1", "alice");
    StoreReply *reply = grant("alice", "d1");
    guint64 epoch = reply->epoch;
    gint64 first = reply->id;
    ck_assert_uint_eq(reply->connections->len, 0);
    reply = grant("alice", "d1");
    ck_assert_int_eq(reply->result, STORE_OK);
    ck_assert_uint_eq(reply->epoch, epoch);
    ck_assert_int_ne(reply->id, first);
    ck_assert_uint_eq(reply->connections->len, 1);
    ck_assert_int_eq(((StoreConnection *)reply->connections->pdata[0])->id, first);
    ck_assert_uint_eq(CALL(store_connection_list, NULL)->connections->len, 1);
}
END_TEST

START_TEST(a_reconnect_keeps_the_epoch_and_a_new_lease_gets_a_higher_one)
{
    CALL(store_assign, "test", "d1", "alice");
    StoreReply *reply = grant("alice", "d1");
    guint64 epoch = reply->epoch;
    ck_assert_int_eq(RESULT(store_connection_close, reply->id, "closed"), STORE_OK);
    reply = grant("alice", "d1");
    ck_assert_uint_eq(reply->epoch, epoch);
    ck_assert_int_eq(RESULT(store_lease_return, "d1", epoch), STORE_CONFLICT);
    gint64 id = grant("alice", "d1")->id;
    CALL(store_connection_close, id, "closed");
    ck_assert_int_eq(RESULT(store_lease_return, "d1", epoch + 1), STORE_CONFLICT);
    ck_assert_int_eq(RESULT(store_lease_return, "d1", epoch), STORE_OK);
    ck_assert_uint_gt(grant("alice", "d1")->epoch, epoch);
}
END_TEST

START_TEST(unassigning_ends_the_connection_and_the_next_user_waits_for_the_lease)
{
    CALL(store_assign, "test", "d1", "alice");
    StoreReply *reply = grant("alice", "d1");
    gint64 id = reply->id;
    reply = CALL(store_unassign, "test", "d1");
    ck_assert_int_eq(reply->result, STORE_OK);
    ck_assert_ptr_null(reply->desktop->assigned);
    ck_assert_uint_eq(reply->revoked->connections->len, 1);
    ck_assert_int_eq(((StoreConnection *)reply->revoked->connections->pdata[0])->id, id);
    ck_assert_uint_eq(reply->revoked->leases->len, 1);
    ck_assert_str_eq(reply->revoked->leases->pdata[0], "d1");
    CALL(store_assign, "test", "d1", "bob");
    ck_assert_int_eq(grant("bob", "d1")->result, STORE_CONFLICT);
    ck_assert_int_eq(RESULT(store_lease_return, "d1", 0), STORE_OK);
    ck_assert_int_eq(grant("bob", "d1")->result, STORE_OK);
}
END_TEST

START_TEST(unassigning_what_is_not_assigned_is_fine)
{
    StoreReply *reply = CALL(store_unassign, "test", "d1");
    ck_assert_int_eq(reply->result, STORE_OK);
    ck_assert_uint_eq(reply->revoked->connections->len, 0);
    ck_assert_uint_eq(reply->revoked->leases->len, 0);
}
END_TEST

START_TEST(a_disabled_user_loses_his_connections_and_gets_no_new_ones)
{
    CALL(store_assign, "test", "d1", "alice");
    CALL(store_assign, "test", "d2", "alice");
    grant("alice", "d1");
    grant("alice", "d2");
    gint64 serial = serial_of("alice");
    StoreReply *reply = CALL(store_user_disable, "test", "alice", TRUE);
    ck_assert_uint_eq(reply->revoked->connections->len, 2);
    ck_assert_str_eq(reply->revoked->user, "alice");
    ck_assert_int_gt(serial_of("alice"), serial);
    ck_assert_int_eq(grant("alice", "d1")->result, STORE_DENIED);
    ck_assert_int_eq(RESULT(store_user_disable, "test", "alice", FALSE), STORE_OK);
    ck_assert_int_eq(grant("alice", "d1")->result, STORE_OK);
}
END_TEST

START_TEST(what_was_proven_under_an_old_password_is_void)
{
    CALL(store_assign, "test", "d1", "alice");
    gint64 old = serial_of("alice");
    StoreReply *reply = CALL(store_user_show, "alice");
    gint64 id = reply->user->id;
    ck_assert_int_eq(RESULT(store_login_grant, id, old, "rdp", "192.0.2.1"), STORE_OK);
    ck_assert_int_eq(RESULT(store_user_password, "test", "alice", "$argon2id$new", 0, 0), STORE_OK);
    StoreGrant asked = {
        .user = "alice", .desktop = "d1", .serial = old, .protocol = "rdp", .address = "192.0.2.1"};
    ck_assert_int_eq(RESULT(store_lease_grant, &asked), STORE_DENIED);
    ck_assert_int_eq(RESULT(store_login_grant, id, old, "rdp", "192.0.2.1"), STORE_DENIED);
    ck_assert_int_eq(RESULT(store_user_password, "test", "alice", "$argon2id$newer", old, 0), STORE_DENIED);
    ck_assert_str_eq(CALL(store_user_secret, "alice")->user->hash, "$argon2id$new");
}
END_TEST

START_TEST(a_removed_user_goes_when_his_desktop_is_given_back)
{
    CALL(store_assign, "test", "d1", "alice");
    grant("alice", "d1");
    ck_assert_int_eq(RESULT(store_user_delete, "test", "alice"), STORE_CONFLICT);
    StoreReply *reply = CALL(store_user_retire, "test", "alice");
    ck_assert_uint_eq(reply->revoked->connections->len, 1);
    ck_assert_uint_eq(reply->revoked->leases->len, 1);
    ck_assert_int_eq(RESULT(store_user_delete, "test", "alice"), STORE_CONFLICT);
    CALL(store_lease_return, "d1", 0);
    ck_assert_int_eq(RESULT(store_user_delete, "test", "alice"), STORE_OK);
    ck_assert_int_eq(RESULT(store_user_show, "alice"), STORE_NOT_FOUND);
    ck_assert_int_eq(RESULT(store_desktop_show, "d1"), STORE_OK);
    make_user("alice");
    ck_assert_int_eq(grant("alice", "d1")->result, STORE_DENIED);
}
END_TEST

START_TEST(a_desktop_is_removed_in_two_steps_and_not_while_assigned)
{
    CALL(store_assign, "test", "d1", "alice");
    ck_assert_int_eq(RESULT(store_desktop_retire, "test", "d1"), STORE_CONFLICT);
    ck_assert_int_eq(RESULT(store_desktop_delete, "test", "d1"), STORE_CONFLICT);
    CALL(store_unassign, "test", "d1");
    ck_assert_int_eq(RESULT(store_desktop_retire, "test", "d1"), STORE_OK);
    ck_assert_int_eq(RESULT(store_assign, "test", "d1", "bob"), STORE_CONFLICT);
    harness_reopen();
    ck_assert(CALL(store_desktop_show, "d1")->desktop->removing);
    ck_assert_int_eq(RESULT(store_desktop_retire, "test", "d1"), STORE_OK);
    ck_assert_int_eq(RESULT(store_desktop_delete, "test", "d1"), STORE_OK);
    ck_assert_int_eq(RESULT(store_desktop_show, "d1"), STORE_NOT_FOUND);
    make_desktop("d1");
}
END_TEST

START_TEST(killing_a_session_ends_only_that_one)
{
    CALL(store_assign, "test", "d1", "alice");
    CALL(store_assign, "test", "d2", "bob");
    gint64 first = grant("alice", "d1")->id;
    grant("bob", "d2");
    StoreReply *reply = CALL(store_connection_kill, "test", first);
    ck_assert_uint_eq(reply->revoked->connections->len, 1);
    ck_assert_ptr_null(reply->revoked->user);
    ck_assert_int_eq(RESULT(store_connection_kill, "test", first), STORE_NOT_FOUND);
    reply = CALL(store_connection_list, NULL);
    ck_assert_uint_eq(reply->connections->len, 1);
    ck_assert_str_eq(((StoreConnection *)reply->connections->pdata[0])->user, "bob");
}
END_TEST

START_TEST(after_a_restart_connections_without_a_process_are_closed_and_the_others_kept)
{
    CALL(store_assign, "test", "d1", "alice");
    CALL(store_assign, "test", "d2", "bob");
    gint64 first = grant("alice", "d1")->id, second = grant("bob", "d2")->id;
    harness_reopen();
    gint64 living[] = {second, 4711};
    StoreReply *reply = CALL(store_reconcile, living, 2);
    ck_assert_uint_eq(reply->connections->len, 1);
    ck_assert_int_eq(((StoreConnection *)reply->connections->pdata[0])->id, second);
    ck_assert_int_eq(RESULT(store_connection_kill, "test", first), STORE_NOT_FOUND);
    ck_assert_str_eq(CALL(store_desktop_show, "d1")->desktop->owner, "alice");
}
END_TEST

START_TEST(a_list_of_desktops_knows_who_has_them)
{
    CALL(store_assign, "test", "d2", "bob");
    grant("bob", "d2");
    StoreReply *reply = CALL(store_desktop_list, NULL);
    ck_assert_uint_eq(reply->desktops->len, 2);
    const StoreDesktop *second = reply->desktops->pdata[1];
    ck_assert_str_eq(second->name, "d2");
    ck_assert_str_eq(second->user, "bob");
    ck_assert_str_eq(second->owner, "bob");
    ck_assert_str_eq(second->template->kind, "pattern");
    ck_assert_str_eq(second->node, "node1");
    ck_assert_uint_eq(CALL(store_desktop_list, "BOB")->desktops->len, 1);
    ck_assert_uint_eq(CALL(store_desktop_list, "alice")->desktops->len, 0);
}
END_TEST

START_TEST(a_stranger_s_claim_is_audited_without_what_could_be_a_password)
{
    ck_assert_int_eq(RESULT(store_login_deny, "my secret pass!", "denied", "rdp", "192.0.2.1"), STORE_OK);
    ck_assert_int_eq(RESULT(store_login_deny, "mallory", "denied", "rdp", "192.0.2.1"), STORE_OK);
    StoreReply *reply = CALL(store_audit_list, 2, 0);
    ck_assert_str_eq(((StoreAudit *)reply->audit->pdata[0])->actor, "claim:mallory");
    ck_assert_str_eq(((StoreAudit *)reply->audit->pdata[1])->actor, "claim:(no name)");
}
END_TEST

START_TEST(the_audit_is_read_in_pages_from_the_newest)
{
    for (guint i = 0; i < 10; i++)
        CALL(store_audit_write, "test", "page", "", "ok", "");
    StoreReply *reply = CALL(store_audit_list, 4, 0);
    ck_assert_uint_eq(reply->audit->len, 4);
    gint64 last = ((StoreAudit *)reply->audit->pdata[3])->id;
    reply = CALL(store_audit_list, 4, last);
    ck_assert_int_eq(((StoreAudit *)reply->audit->pdata[0])->id, last - 1);
}
END_TEST

START_TEST(a_conflict_that_is_asked_again_is_audited_once)
{
    CALL(store_assign, "test", "d1", "alice");
    gint64 id = grant("alice", "d1")->id;
    CALL(store_connection_close, id, "closed");
    CALL(store_unassign, "test", "d1");
    CALL(store_assign, "test", "d1", "bob");
    StoreGrant asked = {.user = "bob",
                        .desktop = "d1",
                        .serial = serial_of("bob"),
                        .protocol = "rdp",
                        .address = "192.0.2.1"};
    for (guint i = 0; i < 4; i++, asked.again = TRUE)
        ck_assert_int_eq(RESULT(store_lease_grant, &asked), STORE_CONFLICT);
    ck_assert_uint_eq(audited("connect", "conflict"), 1);
    CALL(store_lease_return, "d1", 0);
    ck_assert_int_eq(RESULT(store_lease_grant, &asked), STORE_OK);
    ck_assert_uint_eq(audited("connect", "ok"), 2);
}
END_TEST

START_TEST(asking_for_a_foreign_desktop_is_audited_without_what_could_be_a_password)
{
    CALL(store_lease_deny, "alice", "d2", "rdp", "192.0.2.1");
    CALL(store_lease_deny, "alice", "p\xc3\xa4ssword!", "rdp", "192.0.2.1");
    StoreReply *reply = CALL(store_audit_list, 2, 0);
    const StoreAudit *strange = reply->audit->pdata[0], *row = reply->audit->pdata[1];
    ck_assert_str_eq(row->actor, "user:alice");
    ck_assert_str_eq(row->action, "connect");
    ck_assert_str_eq(row->object, "d2 rdp");
    ck_assert_str_eq(row->result, "denied");
    ck_assert_str_eq(row->address, "192.0.2.1");
    ck_assert_str_eq(strange->object, "(no name) rdp");
}
END_TEST

static void add_hash(const char *name, const char *parameters)
{
    g_autofree char *hash = g_strconcat(parameters, "salt$tag", NULL);
    ck_assert_int_eq(RESULT(store_user_add, "test", name, FALSE, hash), STORE_OK);
}

START_TEST(an_unknown_name_gets_the_parameters_of_some_account_and_keeps_them)
{
    static const char *const older = "$argon2id$v=19$m=8192,t=1,p=1$", *const newer =
                                                                           "$argon2id$v=19$m=65536,t=2,p=1$";
    guint olders = 0, newers = 0;
    ck_assert_ptr_null(CALL(store_user_secret, "alice")->parameters);
    for (guint i = 0; i < 8; i++) {
        g_autofree char *name = g_strdup_printf("user%u", i);
        add_hash(name, i % 2 ? older : newer);
    }
    for (guint i = 0; i < 100; i++) {
        g_autofree char *name = g_strdup_printf("Nobody%u", i), *lower = g_ascii_strdown(name, -1);
        StoreReply *reply = CALL(store_user_secret, name);
        g_autofree char *parameters = g_strdup(reply->parameters);
        ck_assert_int_eq(reply->result, STORE_NOT_FOUND);
        olders += g_strcmp0(parameters, older) == 0;
        newers += g_strcmp0(parameters, newer) == 0;
        ck_assert_int_eq(g_strcmp0(CALL(store_user_secret, lower)->parameters, parameters), 0);
    }
    ck_assert_uint_gt(olders, 10);
    ck_assert_uint_gt(newers, 10);
}
END_TEST

START_TEST(a_rehash_keeps_the_serial_and_another_hash_does_not)
{
    StoreReply *reply = CALL(store_user_show, "alice");
    gint64 id = reply->user->id, serial = reply->user->serial;
    ck_assert_int_eq(RESULT(store_user_rehash, id, serial, "$argon2id$new"), STORE_OK);
    ck_assert_str_eq(CALL(store_user_secret, "alice")->user->hash, "$argon2id$new");
    ck_assert_int_eq(serial_of("alice"), serial);
    CALL(store_user_password, "test", "alice", "$argon2id$changed", 0, 0);
    ck_assert_int_eq(RESULT(store_user_rehash, id, serial, "$argon2id$late"), STORE_OK);
    ck_assert_str_eq(CALL(store_user_secret, "alice")->user->hash, "$argon2id$changed");
}
END_TEST

int main(void)
{
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, setup, harness_close);
    tcase_set_timeout(all, 60);
    tcase_add_test(all, names_are_unique_without_case);
    tcase_add_test(all, what_is_not_there_is_told_with_a_sentence_and_a_hint);
    tcase_add_test(all, hashes_are_only_in_the_answer_that_is_for_them);
    tcase_add_test(all, a_desktop_has_one_user_and_assigning_twice_to_the_same_is_fine);
    tcase_add_test(all, a_template_in_use_stays);
    tcase_add_test(all, two_desktops_never_share_a_domain_or_a_disk);
    tcase_add_test(all, only_the_assigned_user_gets_the_desktop);
    tcase_add_test(all, a_second_connection_takes_over_under_the_same_lease);
    tcase_add_test(all, a_reconnect_keeps_the_epoch_and_a_new_lease_gets_a_higher_one);
    tcase_add_test(all, unassigning_ends_the_connection_and_the_next_user_waits_for_the_lease);
    tcase_add_test(all, unassigning_what_is_not_assigned_is_fine);
    tcase_add_test(all, a_disabled_user_loses_his_connections_and_gets_no_new_ones);
    tcase_add_test(all, what_was_proven_under_an_old_password_is_void);
    tcase_add_test(all, a_removed_user_goes_when_his_desktop_is_given_back);
    tcase_add_test(all, a_desktop_is_removed_in_two_steps_and_not_while_assigned);
    tcase_add_test(all, killing_a_session_ends_only_that_one);
    tcase_add_test(all, after_a_restart_connections_without_a_process_are_closed_and_the_others_kept);
    tcase_add_test(all, a_list_of_desktops_knows_who_has_them);
    tcase_add_test(all, a_stranger_s_claim_is_audited_without_what_could_be_a_password);
    tcase_add_test(all, the_audit_is_read_in_pages_from_the_newest);
    tcase_add_test(all, a_conflict_that_is_asked_again_is_audited_once);
    tcase_add_test(all, asking_for_a_foreign_desktop_is_audited_without_what_could_be_a_password);
    tcase_add_test(all, an_unknown_name_gets_the_parameters_of_some_account_and_keeps_them);
    tcase_add_test(all, a_rehash_keeps_the_serial_and_another_hash_does_not);
    return suite_run("store_rights", all);
}
