/* Tells the thread sanitizer what GLib's locks and callbacks order. GLib and GStreamer are not built with it:
 * their locks are futexes that it does not see, so everything that they protect would look like a race.
 * Linked into every program of the tsan preset, whose symbols come before the libraries' own. */
#include <dlfcn.h>
#include <glib.h>

void __tsan_acquire(void *address);
void __tsan_release(void *address);

#define NEXT(NAME) ((__typeof__(&NAME))dlsym(RTLD_NEXT, #NAME))
#define ONCE(NAME)                                                                                           \
    static __typeof__(&NAME) known;                                                                          \
    __typeof__(&NAME) next = __atomic_load_n(&known, __ATOMIC_RELAXED);                                      \
    if (!next)                                                                                               \
    __atomic_store_n(&known, next = NEXT(NAME), __ATOMIC_RELAXED)

/* ---- locks ---- */

void g_mutex_lock(GMutex *mutex)
{
    ONCE(g_mutex_lock);
    next(mutex);
    __tsan_acquire(mutex);
}

gboolean g_mutex_trylock(GMutex *mutex)
{
    ONCE(g_mutex_trylock);
    gboolean locked = next(mutex);
    if (locked)
        __tsan_acquire(mutex);
    return locked;
}

void g_mutex_unlock(GMutex *mutex)
{
    ONCE(g_mutex_unlock);
    __tsan_release(mutex);
    next(mutex);
}

void g_cond_wait(GCond *cond, GMutex *mutex)
{
    ONCE(g_cond_wait);
    __tsan_release(mutex);
    next(cond, mutex);
    __tsan_acquire(mutex);
}

gboolean g_cond_wait_until(GCond *cond, GMutex *mutex, gint64 end_time)
{
    ONCE(g_cond_wait_until);
    __tsan_release(mutex);
    gboolean signalled = next(cond, mutex, end_time);
    __tsan_acquire(mutex);
    return signalled;
}

void g_rec_mutex_lock(GRecMutex *mutex)
{
    ONCE(g_rec_mutex_lock);
    next(mutex);
    __tsan_acquire(mutex);
}

void g_rec_mutex_unlock(GRecMutex *mutex)
{
    ONCE(g_rec_mutex_unlock);
    __tsan_release(mutex);
    next(mutex);
}

/* ---- counts: the last one to let go sees what the others did ---- */

gboolean g_atomic_ref_count_dec(gatomicrefcount *count)
{
    ONCE(g_atomic_ref_count_dec);
    __tsan_release(count);
    gboolean last = next(count);
    if (last)
        __tsan_acquire(count);
    return last;
}

static __thread GDestroyNotify box_clear;

static void clear_box(gpointer box)
{
    GDestroyNotify clear = box_clear; /* it may release others */
    __tsan_acquire(box);
    if (clear)
        clear(box);
}

void g_atomic_rc_box_release_full(gpointer box, GDestroyNotify clear)
{
    ONCE(g_atomic_rc_box_release_full);
    __tsan_release(box);
    box_clear = clear;
    next(box, clear_box);
}

/* ---- a source's callback sees what stood in its data when it was set, in whatever thread ---- */

typedef struct {
    GSourceFunc function;
    gpointer data;
    GDestroyNotify notify;
} Callback;

static gboolean call(gpointer data)
{
    Callback *callback = data;
    __tsan_acquire(callback);
    return callback->function(callback->data);
}

static void forget(gpointer data)
{
    Callback *callback = data;
    __tsan_acquire(callback);
    if (callback->notify)
        callback->notify(callback->data);
    g_free(callback);
}

/* Only sources whose callbacks take nothing but their data: idle ones, by which threads talk to main loops.
 */
void g_source_set_callback(GSource *source, GSourceFunc function, gpointer data, GDestroyNotify notify)
{
    ONCE(g_source_set_callback);
    if (source->source_funcs != &g_idle_funcs) {
        next(source, function, data, notify);
        return;
    }
    Callback *callback = g_new(Callback, 1);
    *callback = (Callback){function, data, notify};
    __tsan_release(callback);
    next(source, call, callback, forget);
}
