/* Slice headers are read and written anew (ITU-T H.264, 7.3.3); what follows them is copied. */
#include "encoder/splice.h"

#include "encoder/annexb.h"
#include "encoder/bits.h"

#include <string.h>

enum { NAL_SLICE = 1, NAL_IDR = 5, NAL_SPS = 7, NAL_PPS = 8 };
enum { SLICE_P = 0, SLICE_I = 2 };
#define ROOM 2 /* pictures: the main view's last and the auxiliary's last */

/* What a slice header's syntax depends on. */
typedef struct {
    gboolean known;
    guint frame_number_bits;
} Sequence;

typedef struct {
    gboolean known, cabac, deblocking, weighted;
} Parameters;

/* A view's parameter sets: they must be alike, since only the main view's are sent. */
typedef struct {
    Sequence sequence;
    Parameters parameters;
} Sets;

struct Splice {
    Sets main, auxiliary;
    guint frame_number;    /* of the next picture that is no IDR picture */
    guint short_term;      /* pictures of the main view in the decoder */
    gboolean auxiliary_in; /* it has an auxiliary one */
};

/* A slice header's parts, as they were read. */
typedef struct {
    guint type; /* SLICE_P or SLICE_I */
    guint32 type_code, parameter_set, idr_id;
    gboolean override;
    gsize weights_from, weights_to; /* bits */
    guint32 marking;                /* an IDR picture's two flags */
} Header;

Splice *splice_new(void)
{
    return g_new0(Splice, 1);
}

void splice_free(Splice *splice)
{
    g_free(splice);
}

/* ---- NAL units ---- */

static GByteArray *unescape(const guint8 *nal, gsize length)
{
    GByteArray *plain = g_byte_array_sized_new((guint)length);
    guint8 *to = plain->data;
    guint zeros = 0;

    for (gsize i = 0; i < length; i++) {
        if (zeros >= 2 && nal[i] == 3) {
            zeros = 0;
            continue;
        }
        zeros = nal[i] == 0 ? zeros + 1 : 0;
        *to++ = nal[i];
    }
    plain->len = (guint)(to - plain->data);
    return plain;
}

/* Appends a NAL unit with its start code. */
static void append_nal(GByteArray *unit, guint8 head, const GByteArray *plain)
{
    static const guint8 start[] = {0, 0, 0, 1};
    guint zeros = 0;

    g_byte_array_append(unit, start, sizeof start);
    g_byte_array_append(unit, &head, 1);
    guint at = unit->len;
    /* Each escape needs two zeros before it. */
    g_byte_array_set_size(unit, at + plain->len + plain->len / 2 + 1);
    guint8 *to = unit->data + at;
    for (guint i = 0; i < plain->len; i++) {
        if (zeros >= 2 && plain->data[i] <= 3) {
            *to++ = 3;
            zeros = 0;
        }
        zeros = plain->data[i] == 0 ? zeros + 1 : 0;
        *to++ = plain->data[i];
    }
    g_byte_array_set_size(unit, (guint)(to - unit->data));
}

/* ---- parameter sets ---- */

static gboolean has_chroma_format(guint profile)
{
    static const guint profiles[] = {100, 110, 122, 244, 44, 83, 86, 118, 128};
    for (guint i = 0; i < G_N_ELEMENTS(profiles); i++)
        if (profiles[i] == profile)
            return TRUE;
    return FALSE;
}

static Sequence read_sequence(BitReader *in)
{
    guint profile = bits_read(in, 8);
    (void)bits_read(in, 16);
    (void)bits_read_ue(in);
    if (has_chroma_format(profile)) {
        gboolean usual = bits_read_ue(in) == 1;
        usual = bits_read_ue(in) == 0 && usual;
        usual = bits_read_ue(in) == 0 && usual;
        /* Lossless coding and matrices of one's own. */
        if (bits_read(in, 2) != 0 || !usual)
            return (Sequence){0};
    }
    guint number_bits = bits_read_ue(in) + 4;
    /* Pictures are shown in the order of decoding: so nothing else numbers them. */
    gboolean in_order = bits_read_ue(in) == 2;
    guint room = bits_read_ue(in);
    gboolean gaps = bits_read(in, 1) != 0;
    (void)bits_read_ue(in);
    (void)bits_read_ue(in);
    gboolean progressive = bits_read(in, 1) != 0;
    return (Sequence){!in->bad && in_order && room == ROOM && !gaps && progressive && number_bits <= 16,
                      number_bits};
}

static Parameters read_parameters(BitReader *in)
{
    Parameters found = {0};
    (void)bits_read_ue(in);
    (void)bits_read_ue(in);
    found.cabac = bits_read(in, 1) != 0;
    gboolean bottom_order = bits_read(in, 1) != 0;
    gboolean groups = bits_read_ue(in) != 0;
    gboolean one_reference = bits_read_ue(in) == 0;
    (void)bits_read_ue(in);
    found.weighted = bits_read(in, 1) != 0;
    (void)bits_read(in, 2);
    bits_read_se(in);
    bits_read_se(in);
    bits_read_se(in);
    found.deblocking = bits_read(in, 1) != 0;
    (void)bits_read(in, 1);
    gboolean redundant = bits_read(in, 1) != 0;
    found.known = !in->bad && !bottom_order && !groups && one_reference && !redundant;
    return found;
}

/* ---- slices ---- */

static void read_weights(BitReader *in)
{
    (void)bits_read_ue(in);
    (void)bits_read_ue(in);
    for (guint values = 2; values <= 4; values += 2)
        if (bits_read(in, 1))
            for (guint i = 0; i < values; i++)
                bits_read_se(in);
}

static gboolean read_header(const Sets *sets, BitReader *in, gboolean idr, Header *header)
{
    gboolean first = bits_read_ue(in) == 0;
    header->type_code = bits_read_ue(in);
    header->type = header->type_code % 5;
    header->parameter_set = bits_read_ue(in);
    (void)bits_read(in, sets->sequence.frame_number_bits);
    header->idr_id = idr ? bits_read_ue(in) : 0;
    if (!first || !(header->type == SLICE_P || header->type == SLICE_I))
        return FALSE;
    if (header->type == SLICE_P) {
        header->override = bits_read(in, 1) != 0;
        if ((header->override && bits_read_ue(in) != 0) || bits_read(in, 1) != 0)
            return FALSE;
        header->weights_from = in->at;
        if (sets->parameters.weighted)
            read_weights(in);
        header->weights_to = in->at;
    }
    header->marking = bits_read(in, idr ? 2 : 1);
    return !in->bad && (idr || header->marking == 0);
}

/* The auxiliary view's list of references begins with its own last picture, the long-term one. */
static void write_order(BitWriter *out, gboolean auxiliary)
{
    bits_write(out, auxiliary, 1);
    if (!auxiliary)
        return;
    bits_write_ue(out, 2);
    bits_write_ue(out, 0);
    bits_write_ue(out, 3);
}

/* How the decoder keeps this picture. */
static void write_marking(BitWriter *out, const Splice *splice, gboolean auxiliary, gboolean idr,
                          const Header *header)
{
    if (!auxiliary) {
        bits_write(out, idr ? header->marking : 0, idr ? 2 : 1);
        return;
    }
    bits_write(out, 1, 1);
    if (splice->short_term == ROOM) {
        /* The main view's last but one makes place. */
        bits_write_ue(out, 1);
        bits_write_ue(out, 1);
    }
    bits_write_ue(out, 4); /* one long-term picture at most, */
    bits_write_ue(out, 1);
    bits_write_ue(out, 6); /* and that is this one, */
    bits_write_ue(out, 0);
    bits_write_ue(out, 0); /* that is all */
}

static void write_tail(BitWriter *out, BitReader *in, const Sets *sets, const Header *header)
{
    gsize from = in->at;
    if (sets->parameters.cabac) {
        /* The data begins at a whole byte: so the header's end must be found. */
        if (header->type == SLICE_P)
            (void)bits_read_ue(in);
        bits_read_se(in);
        if (sets->parameters.deblocking && bits_read_ue(in) != 1) {
            bits_read_se(in);
            bits_read_se(in);
        }
        bits_copy_read(out, in, from);
        in->at = (in->at + 7) & ~(gsize)7;
        bits_write(out, (1u << out->free) - 1, out->free);
    }
    bits_copy_rest(out, in);
}

static void note_picture(Splice *splice, gboolean auxiliary, gboolean idr)
{
    guint bits = splice->main.sequence.frame_number_bits;
    splice->frame_number = ((idr ? 0 : splice->frame_number) + 1) & ((1u << bits) - 1);
    if (auxiliary) {
        splice->auxiliary_in = TRUE;
        splice->short_term = 1;
        return;
    }
    if (idr)
        splice->auxiliary_in = FALSE;
    splice->short_term = idr ? 1 : MIN(splice->short_term + 1, splice->auxiliary_in ? 1 : ROOM);
}

static gboolean splice_slice(Splice *splice, const Sets *sets, const guint8 *nal, gsize length,
                             GByteArray *unit)
{
    gboolean auxiliary = sets == &splice->auxiliary, was_idr = (nal[0] & 31) == NAL_IDR;
    gboolean idr = was_idr && !auxiliary;
    g_autoptr(GByteArray) plain = unescape(nal + 1, length - 1);
    g_autoptr(GByteArray) made = g_byte_array_sized_new((guint)length + 16);
    BitReader in = {.bytes = plain->data, .length = plain->len};
    BitWriter out = {.bytes = made};
    Header header = {0};

    if (!read_header(sets, &in, was_idr, &header))
        return FALSE;
    bits_write_ue(&out, 0);
    bits_write_ue(&out, header.type_code);
    bits_write_ue(&out, header.parameter_set);
    bits_write(&out, idr ? 0 : splice->frame_number, sets->sequence.frame_number_bits);
    if (idr)
        bits_write_ue(&out, header.idr_id);
    if (header.type == SLICE_P) {
        bits_write(&out, header.override, 1);
        if (header.override)
            bits_write_ue(&out, 0);
        write_order(&out, auxiliary);
        BitReader weights = in;
        weights.at = header.weights_to;
        bits_copy_read(&out, &weights, header.weights_from);
    }
    write_marking(&out, splice, auxiliary, idr, &header);
    write_tail(&out, &in, sets, &header);
    append_nal(unit, (guint8)((nal[0] & 0xe0) | (idr ? NAL_IDR : NAL_SLICE)), made);
    note_picture(splice, auxiliary, idr);
    return TRUE;
}

/* ---- units ---- */

static void read_set(Sets *sets, const guint8 *nal, gsize length)
{
    g_autoptr(GByteArray) plain = unescape(nal + 1, length - 1);
    BitReader in = {.bytes = plain->data, .length = plain->len};

    if ((nal[0] & 31) == NAL_SPS)
        sets->sequence = read_sequence(&in);
    else
        sets->parameters = read_parameters(&in);
}

static gboolean usable(const Splice *splice, const Sets *sets)
{
    return sets->sequence.known && sets->parameters.known && splice->main.sequence.known &&
           sets->sequence.frame_number_bits == splice->main.sequence.frame_number_bits &&
           memcmp(&sets->parameters, &splice->main.parameters, sizeof sets->parameters) == 0;
}

/* One slice, and it can be referred to. */
static gboolean splice_nal(Splice *splice, Sets *sets, const guint8 *nal, gsize length, GByteArray *unit)
{
    static const guint8 start[] = {0, 0, 0, 1};
    guint kind = nal[0] & 31;

    if (kind == NAL_SLICE || kind == NAL_IDR)
        return usable(splice, sets) && (nal[0] & 0x60) != 0 && splice_slice(splice, sets, nal, length, unit);
    if (kind == NAL_SPS || kind == NAL_PPS)
        read_set(sets, nal, length);
    if (sets == &splice->main) {
        g_byte_array_append(unit, start, sizeof start);
        g_byte_array_append(unit, nal, (guint)length);
    }
    return TRUE;
}

static SpliceResult splice_unit(Splice *splice, Sets *sets, const guint8 *unit, gsize length,
                                GByteArray **spliced)
{
    g_autoptr(GByteArray) made = g_byte_array_sized_new((guint)length + 64);
    gsize at = 0, nal_length;

    *spliced = NULL;
    if (annexb_look(unit, length).slices != 1)
        return SPLICE_UNABLE;
    while ((nal_length = annexb_next(unit, length, &at)) > 0) {
        if (!splice_nal(splice, sets, unit + at, nal_length, made))
            return SPLICE_UNABLE;
        at += nal_length;
    }
    *spliced = g_steal_pointer(&made);
    return SPLICE_DONE;
}

SpliceResult splice_main(Splice *splice, const guint8 *unit, gsize length, GByteArray **spliced)
{
    return splice_unit(splice, &splice->main, unit, length, spliced);
}

SpliceResult splice_auxiliary(Splice *splice, const guint8 *unit, gsize length, GByteArray **spliced)
{
    *spliced = NULL;
    if (!annexb_look(unit, length).idr && !splice->auxiliary_in)
        return SPLICE_NOT_YET;
    return splice_unit(splice, &splice->auxiliary, unit, length, spliced);
}
