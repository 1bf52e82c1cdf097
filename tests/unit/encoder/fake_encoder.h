/* A hardware encoder by a script: an element of this process under the name of one of the table's, that makes
 * real H.264 with x264enc and fails as drivers do. */
#pragma once

#include <gst/gst.h>

typedef enum {
    FAKE_WORKS,
    FAKE_NO_DEVICE,  /* it does not start: another one's session was the last */
    FAKE_SLOW_START, /* it starts `ms` later */
    FAKE_ERROR,      /* at picture `at` (from 0): an error message */
    FAKE_FLOW,       /* takes that picture no more */
    FAKE_HANG,       /* never returns from it until fake_encoder_wake() */
    FAKE_LATE,       /* answers it `ms` later */
} FakeFault;

typedef struct {
    FakeFault fault;
    guint at, ms;
    guint times;     /* how many of those made from now on have the fault, the others work */
    gboolean slices; /* cuts pictures into several */
    /* The buffers that it lends; 0: none. It keeps all but one of them for itself. */
    guint pool;
    const char *memory; /* caps feature with which it lends them, NULL: none */
    gboolean no_pool;   /* they cannot be had: the pool does not start, */
    guint map_fails;    /* or cannot be written from this map on, 0: always can */
    guint padding;      /* bytes more a row */
    /* Each picture that it takes, on a thread of GStreamer's. */
    void (*picture)(GstBuffer *picture, const GstCaps *caps, gpointer data);
    gpointer data;
} FakeScript;

typedef struct {
    gint made, started; /* elements; those that got so far */
    gint pictures;      /* taken by any of them, */
    gint lent;          /* in a buffer of their own */
} FakeCounts;

/* For the test to write before an encoder is made, and to read at any time (atomic). */
extern FakeScript fake_script;
extern FakeCounts fake_counts;
#define fake_count(WHAT) g_atomic_int_get(&fake_counts.WHAT)

/* Once a process, after h264_load(). */
void fake_encoder_register(const char *element);
/* Nothing has happened, and it works. */
void fake_encoder_reset(void);
void fake_encoder_wake(void);
