/* A seat's shadow and access unit ring as a client sees them: two read-only mappings and the rules for
 * copying out of memory that is written at the same time. */
#pragma once

#include "session/client/tiles.h"

typedef struct {
    guint width, height, stride; /* px, px, bytes */
    guint columns, rows;
    guint32 generation;
    const guint8 *memory; /* mapping of SeatBuffer.memory bytes */
    gsize memory_size;
    const guint32 *versions;
    const guint8 *pixels;
    const guint8 *ring; /* mapping of SeatRingHeader and SEAT_AU_RING bytes */
} ShadowMap;

/* Checks the packet's numbers against each other and the descriptors' sizes and maps both. The descriptors
 * (shadow, ring) stay the caller's. NULL with *wrong set (static text) when something does not fit. */
ShadowMap *shadow_map_open(const SeatBuffer *buffer, const int descriptors[2], const char **wrong);
void shadow_map_free(ShadowMap *map);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ShadowMap, shadow_map_free)

typedef enum { SHADOW_COPIED, SHADOW_KNOWN, SHADOW_TORN } ShadowCopy;

/* Copies `box` of the tile at column, row into `target` (same geometry and stride as the shadow). *version
 * gets the tile's version; KNOWN: it equals `known`, nothing was copied; TORN: the seat was writing, what was
 * copied is worthless. */
ShadowCopy shadow_map_copy(const ShadowMap *map, guint column, guint row, TileBox box, guint32 known,
                           guint8 *target, guint32 *version);

/* The pass that the seat writes at the moment, or wrote last: after a copy, what the copy may have of it. */
guint64 shadow_map_passes(const ShadowMap *map);

/* Appends the access unit to the emptied `bytes`. FALSE: it was overwritten already, or its numbers lie. */
gboolean shadow_map_unit(const ShadowMap *map, const SeatAccessUnit *unit, GByteArray *bytes);

/* Lets the mapped pages go (they stay in the memory's own cache), so that an idle client is small. */
void shadow_map_rest(const ShadowMap *map);
