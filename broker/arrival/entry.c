/* What people do at a greeter: log in, show a ticket, choose; and what the greeter is told of their
 * desktops. */
#include "broker/arrival/arrivals_internal.h"

#include "auth/token.h"
#include "base/log.h"

#include <string.h>

#define LIST_MAX 256
#define PROVE_AGAIN_MS 2000

static const char *const no_desktop = "No desktop is assigned to you. Ask your administrator for one.";
static const char *const denied_ticket =
    "This link has been used already or is too old. Connect again from the "
    "web page.";

const char *arrival_no_database(const StoreReply *reply)
{
    log_error("database: %s", reply->error->message);
    return "The server's database does not answer. Try again later.";
}

static Arrival *arrival_at(GreeterLine *line, Arrivals *set)
{
    GHashTableIter iter;
    Arrival *arrival;

    g_hash_table_iter_init(&iter, set->clients);
    while (g_hash_table_iter_next(&iter, NULL, (gpointer *)&arrival))
        if (!arrival->ending && arrival_line(arrival) == line)
            return arrival;
    return NULL;
}

/* ---- the list ---- */

/* Cuts between characters. */
static void cut_text(char *to, const char *text, gsize size)
{
    const char *end = NULL;
    g_strlcpy(to, text, size);
    if (!g_utf8_validate(to, -1, &end))
        to[end - to] = '\0';
}

void arrival_send_list(Arrival *self)
{
    GreeterLine *line = arrival_line(self);
    g_autofree GreeterDesktop *desktops = NULL;
    guint count = 0;

    if (!line || !self->assigned)
        return;
    desktops = g_new0(GreeterDesktop, MAX(1, self->assigned->len));
    for (guint i = 0; i < self->assigned->len; i++) {
        const char *name = self->assigned->pdata[i];
        const Desktop *desktop = desktops_find(self->set->needs.desktops, name);
        GreeterDesktop *entry = &desktops[count];
        /* A client that has been let to a desktop stands for that one for the rest of its life. */
        if (!desktop || (self->connection && g_ascii_strcasecmp(name, self->chosen) != 0))
            continue;
        g_strlcpy(entry->name, name, sizeof entry->name);
        entry->state = desktop_state(desktop);
        cut_text(entry->reason, desktop_reason(desktop), sizeof entry->reason);
        count++;
    }
    greeter_line_desktops(line, desktops, count);
}

/* The name as the desktop was given it; NULL: not his. */
static const char *find_assigned(const Arrival *self, const char *name)
{
    for (guint i = 0; self->assigned && i < self->assigned->len; i++)
        if (g_ascii_strcasecmp(self->assigned->pdata[i], name) == 0)
            return self->assigned->pdata[i];
    return NULL;
}

/* A grant that found the lease with somebody else is asked again after a while; another choice is not to
 * wait for that. */
static void stop_waiting(Arrival *self)
{
    if (!self->timer)
        return;
    g_clear_handle_id(&self->timer, g_source_remove);
    self->busy = FALSE;
}

/* To `chosen`, whatever came between before. */
static void set_out(Arrival *self)
{
    stop_waiting(self);
    *self->refused = '\0';
    self->conflicts = 0;
    self->start = TRUE;
    arrival_advance(self);
}

static void choose(Arrival *self, const char *name)
{
    char before[SEAT_NAME_MAX];

    g_strlcpy(before, self->chosen, sizeof before);
    g_strlcpy(self->chosen, name, sizeof self->chosen);
    arrivals_count_users(self->set, before);
    arrivals_count_users(self->set, self->chosen);
    *self->denied = '\0';
    set_out(self);
}

static void tell_denied(Arrival *self)
{
    GreeterLine *line = arrival_line(self);
    char text[SEAT_TEXT_MAX];

    g_snprintf(text, sizeof text, "The desktop %s is not assigned to you.", self->denied);
    if (line)
        greeter_line_progress(line, GREETER_PHASE_FAILED, self->denied, text);
}

static void denied(StoreReply *reply, gpointer data)
{
    Arrival *self = arrival_of_key(data);
    const char *problem = reply->result == STORE_FAILED ? arrival_no_database(reply) : NULL;
    GreeterLine *line = self ? arrival_line(self) : NULL;

    if (!self)
        return;
    self->denying = FALSE;
    if (!*self->denied)
        return;
    if (!problem) {
        tell_denied(self);
        return;
    }
    if (line)
        greeter_line_progress(line, GREETER_PHASE_FAILED, self->denied, problem);
    *self->denied = '\0';
}

/* A row for each desktop that he tries, none for each press of a key; and no more than the database writes at
 * a time, so that nobody fills it from a greeter. What is asked meanwhile gets no answer. */
static void refuse_desktop(Arrival *self, const char *name)
{
    if (self->denying)
        return;
    if (g_ascii_strcasecmp(name, self->denied) == 0) {
        tell_denied(self);
        return;
    }
    g_strlcpy(self->denied, name, sizeof self->denied);
    self->denying = TRUE;
    store_lease_deny(self->set->needs.store, self->user, name, arrival_protocol(self), self->process.address,
                     denied, arrival_key(self));
}

/* With one desktop there is nothing to choose; a wish that is not granted is told. */
static void choose_alone(Arrival *self)
{
    GreeterLine *line = arrival_line(self);

    if (*self->chosen || !line)
        return;
    if (*self->wanted && find_assigned(self, self->wanted)) {
        choose(self, find_assigned(self, self->wanted));
    } else if (*self->wanted) {
        refuse_desktop(self, self->wanted);
    } else if (self->assigned->len == 0) {
        greeter_line_progress(line, GREETER_PHASE_FAILED, "", no_desktop);
    } else if (self->assigned->len == 1) {
        choose(self, self->assigned->pdata[0]);
    }
    *self->wanted = '\0';
}

/* Gives up the way to the chosen desktop. */
static void leave(Arrival *self)
{
    char before[SEAT_NAME_MAX];

    stop_waiting(self);
    g_strlcpy(before, self->chosen, sizeof before);
    *self->chosen = '\0';
    self->start = FALSE;
    arrivals_count_users(self->set, before);
}

static void listed(StoreReply *reply, gpointer data)
{
    Arrival *self = arrival_of_key(data);
    gboolean first;

    if (!self)
        return;
    self->listing = FALSE;
    if (self->list_old) {
        self->list_old = FALSE;
        arrival_list(self);
        return;
    }
    if (reply->result != STORE_OK) {
        GreeterLine *line = arrival_line(self);
        const char *text = arrival_no_database(reply);
        if (line)
            greeter_line_progress(line, GREETER_PHASE_FAILED, "", text);
        return;
    }
    first = !self->assigned;
    g_clear_pointer(&self->assigned, g_ptr_array_unref);
    self->assigned = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < MIN(reply->desktops->len, LIST_MAX); i++)
        g_ptr_array_add(self->assigned, g_strdup(((const StoreDesktop *)reply->desktops->pdata[i])->name));
    if (*self->chosen && !arrival_is_settled(self) && !find_assigned(self, self->chosen))
        leave(self);
    arrival_send_list(self);
    if (first || self->assigned->len <= 1)
        choose_alone(self);
}

void arrival_list(Arrival *self)
{
    if (self->listing) {
        self->list_old = TRUE;
        return;
    }
    self->listing = TRUE;
    store_desktop_list(self->set->needs.store, self->user, listed, arrival_key(self));
}

/* ---- who he is ---- */

static void proven(StoreReply *reply, gpointer data)
{
    Arrival *self = arrival_of_key(data);
    GreeterLine *line = self ? arrival_line(self) : NULL;

    if (!self)
        return;
    self->proving = FALSE;
    if (reply->result == STORE_FAILED) {
        const char *text = arrival_no_database(reply);
        if (line)
            greeter_line_progress(line, GREETER_PHASE_FAILED, self->chosen, text);
        arrival_advance_later(self, PROVE_AGAIN_MS);
    } else if (reply->result != STORE_OK) {
        arrival_end(self, END_REVOKED, reply->message);
    } else {
        self->proven = TRUE;
        arrival_list(self);
        arrival_greet(self);
        arrival_advance(self);
    }
}

/* After a restart of the broker the master's record says who he is; only we ever wrote it. Whether that still
 * holds, the database says: the broker may have died between changing a password and ending the clients. */
void arrival_prove(Arrival *self)
{
    if (self->proving)
        return;
    self->proving = TRUE;
    store_login_renew(self->set->needs.store, self->user, self->serial, self->web_session, proven,
                      arrival_key(self));
}

void arrival_greet(Arrival *self)
{
    GreeterLine *line = arrival_line(self);

    if (!line || !*self->user || !self->set->begun)
        return;
    if (self->proven) {
        greeter_line_result(line, GREETER_KNOWN, SEAT_LOGIN_OK, 0, self->user, NULL);
        arrival_send_list(self);
        /* The greeter before may have died before he could choose. */
        if (self->assigned)
            choose_alone(self);
    }
    arrival_advance(self);
}

static void user_bound(int error, ProcessId id, gpointer data)
{
    Arrival *self = arrival_of_key(data);
    if (self && error)
        arrival_end(self, END_FAULT, "Please connect again.");
}

static void enter(Arrival *self, const StoreUser *user)
{
    ProcessRecord record = {0};
    GreeterLine *line = arrival_line(self);

    g_strlcpy(self->user, user->name, sizeof self->user);
    self->serial = user->serial;
    self->proven = TRUE;
    g_strlcpy(record.user, self->user, sizeof record.user);
    record.serial = (uint64_t)self->serial;
    record.web_session = (uint64_t)self->web_session;
    master_client_bind(self->set->needs.master, self->client, &record, user_bound, arrival_key(self));
    if (line)
        greeter_line_result(line, GREETER_RESULT, SEAT_LOGIN_OK, 0, self->user, NULL);
    arrival_list(self);
}

static void say(Arrival *self, SeatLoginResult result, guint retry_after_ms, const char *text)
{
    GreeterLine *line = arrival_line(self);
    if (line)
        greeter_line_result(line, GREETER_RESULT, result, retry_after_ms, NULL, text);
}

static void checked(const LoginOutcome *outcome, gpointer data)
{
    Arrival *self = arrival_of_key(data);

    if (!self)
        return;
    self->checking = FALSE;
    switch (outcome->result) {
    case LOGIN_OK:
        enter(self, outcome->user);
        break;
    case LOGIN_DENIED:
        say(self, SEAT_LOGIN_DENIED, 0, outcome->text);
        break;
    case LOGIN_WAIT:
        say(self, SEAT_LOGIN_WAIT, outcome->retry_after_ms, outcome->text);
        break;
    case LOGIN_UNAVAILABLE:
        say(self, SEAT_LOGIN_UNAVAILABLE, 0, outcome->text);
        break;
    }
}

/* FALSE: he is known already (his client asks again at a new greeter), or an attempt is under way. */
static gboolean may_try(Arrival *self, GreeterLine *line)
{
    if (*self->user)
        greeter_line_result(line, GREETER_KNOWN, SEAT_LOGIN_OK, 0, self->user, NULL);
    else if (self->checking)
        greeter_line_result(line, GREETER_RESULT, SEAT_LOGIN_WAIT, 1000, NULL, "One attempt at a time.");
    return !*self->user && !self->checking;
}

static void on_login(GreeterLine *line, GreeterLogin *login, gpointer data)
{
    Arrival *self = arrival_at(line, data);
    LoginAttempt attempt = {.user = login->user, .password = login->password};

    if (!self || !may_try(self, line))
        return;
    attempt.protocol = arrival_protocol(self);
    attempt.address = self->process.address;
    g_strlcpy(self->wanted, login->desktop, sizeof self->wanted);
    self->checking = TRUE;
    login_check(self->set->needs.login, &attempt, checked, arrival_key(self));
}

static void redeemed(StoreReply *reply, gpointer data)
{
    Arrival *self = arrival_of_key(data);

    if (!self)
        return;
    self->checking = FALSE;
    if (reply->result == STORE_FAILED) {
        say(self, SEAT_LOGIN_UNAVAILABLE, 0, arrival_no_database(reply));
    } else if (reply->result != STORE_OK) {
        say(self, SEAT_LOGIN_DENIED, 0, denied_ticket);
    } else {
        self->web_session = reply->id;
        if (!*self->process.address)
            g_strlcpy(self->process.address, reply->address, sizeof self->process.address);
        g_strlcpy(self->wanted, reply->desktop ? reply->desktop->name : "", sizeof self->wanted);
        enter(self, reply->user);
    }
}

static void on_ticket(GreeterLine *line, GreeterTicket *ticket, gpointer data)
{
    Arrival *self = arrival_at(line, data);
    guint8 hash[TOKEN_HASH_SIZE];

    if (!self || !may_try(self, line))
        return;
    if (!token_parse(TOKEN_TICKET, ticket->ticket, strlen(ticket->ticket), hash)) {
        say(self, SEAT_LOGIN_DENIED, 0, denied_ticket);
        return;
    }
    self->checking = TRUE;
    store_ticket_redeem(self->set->needs.store, hash, arrival_protocol(self), self->process.address, redeemed,
                        arrival_key(self));
    explicit_bzero(hash, sizeof hash);
}

/* ---- what he does ---- */

/* The greeter has turned its page already; he sees where he is going all the same. */
static void show_way(Arrival *self)
{
    arrival_send_list(self);
    arrival_advance(self);
}

/* Asks once more for what failed: whether his login holds, then what is his. */
static void ask_again(Arrival *self)
{
    stop_waiting(self);
    if (self->proven)
        arrival_list(self);
    show_way(self);
}

static void choose_settled(Arrival *self, const char *desktop)
{
    if (g_ascii_strcasecmp(desktop, self->chosen) == 0)
        set_out(self);
    else
        show_way(self);
}

static void on_choose(GreeterLine *line, const char *desktop, gpointer data)
{
    Arrival *self = arrival_at(line, data);

    if (!self || !*self->user)
        return;
    if (!*desktop) {
        /* What failed before there was one to name. */
        ask_again(self);
    } else if (arrival_is_settled(self)) {
        choose_settled(self, desktop);
    } else if (!self->assigned) {
        /* After a restart of the broker, at a greeter that has the list of the broker before. */
        g_strlcpy(self->wanted, desktop, sizeof self->wanted);
        ask_again(self);
    } else if (find_assigned(self, desktop)) {
        choose(self, find_assigned(self, desktop));
    } else {
        refuse_desktop(self, desktop);
    }
}

static void on_activity(GreeterLine *line, gpointer data)
{
    Arrival *self = arrival_at(line, data);
    if (self && !*self->user)
        master_client_extend(self->set->needs.master, self->client);
}

static void on_screen(GreeterLine *line, const SeatSizeHint *size, gpointer data)
{
    Arrival *self = arrival_at(line, data);
    if (self && size->width <= SEAT_WIDTH_MAX && size->height <= SEAT_WIDTH_MAX)
        self->size = *size;
}

static void on_cancel(GreeterLine *line, gpointer data)
{
    Arrival *self = arrival_at(line, data);

    if (!self)
        return;
    if (arrival_is_settled(self)) {
        show_way(self);
        return;
    }
    leave(self);
    *self->wanted = '\0';
    if (*self->user && !self->assigned)
        ask_again(self);
    else
        arrival_send_list(self);
}

static gboolean is_line(gpointer key, gpointer value, gpointer line)
{
    return value == line;
}

static void on_closed(GreeterLine *line, gpointer data)
{
    Arrivals *set = data;
    g_hash_table_foreach_remove(set->lines, is_line, line);
}

const GreeterLineEvents arrival_line_events = {.login = on_login,
                                               .ticket = on_ticket,
                                               .choose = on_choose,
                                               .activity = on_activity,
                                               .screen = on_screen,
                                               .cancel = on_cancel,
                                               .closed = on_closed};
