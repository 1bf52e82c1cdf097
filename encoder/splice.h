/* Two H.264 streams of equal settings made into one that a single decoder takes: AVC444's main and auxiliary
 * view must be one stream, but only an encoder of its own for each view predicts a view from itself without
 * paying for it. The main view's pictures stay as they are but for their numbers; the auxiliary view's are
 * kept as the decoder's one long-term reference (ITU-T H.264, 8.2.5) and refer only to that. */
#pragma once

#include <glib.h>

typedef struct Splice Splice;

Splice *splice_new(void);
void splice_free(Splice *splice);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Splice, splice_free)

typedef enum {
    SPLICE_DONE,
    SPLICE_NOT_YET, /* an auxiliary picture that refers to one the decoder has not: make a key frame of it */
    SPLICE_UNABLE,  /* the encoder uses what is not known here: AVC444 is not possible with it */
} SpliceResult;

/* Rewrites the access unit (Annex B, with its parameter sets if it is a key frame) for the common stream, in
 * the order in which units are decoded: a main one, then none or one auxiliary one. The encoder has one
 * reference and reserves room for two pictures in the decoder. Unless SPLICE_DONE, *spliced is NULL; the
 * caller frees it. */
SpliceResult splice_main(Splice *splice, const guint8 *unit, gsize length, GByteArray **spliced);
SpliceResult splice_auxiliary(Splice *splice, const guint8 *unit, gsize length, GByteArray **spliced);
