/* The one table of configuration keys: parser, defaults, generated file and docs/configuration.md come from
 * it. */
#pragma once

#include <glib.h>

#define PATH_LENGTH_MAX 511

typedef enum {
    CONFIG_STRING,
    CONFIG_INTEGER,   /* within minimum .. maximum */
    CONFIG_BOOLEAN,   /* yes or no (also true/false, on/off) */
    CONFIG_CHOICE,    /* one of `choices`, separated by | */
    CONFIG_CHOICES,   /* any number of them, separated by spaces */
    CONFIG_PATH,      /* absolute, at most `maximum` bytes (0: PATH_LENGTH_MAX), or empty */
    CONFIG_ENDPOINTS, /* list of at most `maximum` address:port, see config_endpoints(), or empty */
    CONFIG_RANGE,     /* two numbers, first-last, within minimum .. maximum */
    CONFIG_UUID,      /* or empty */
    CONFIG_IDENTITY,  /* a user's or group's name, or its number; or empty */
} ConfigType;

typedef struct {
    const char *section, *key;
    ConfigType type;
    const char *value; /* the default, written as in the file */
    gint64 minimum, maximum;
    const char *choices;
    const char *text; /* one or more sentences, Markdown allowed, no line breaks */
    const char
        *pattern; /* CONFIG_STRING: a regular expression that the whole value matches; NULL: anything does */
    const char *shape; /* and what it asks for, continuing "KEY must be ..." */
} ConfigKey;

typedef struct {
    const char *name, *text;
} ConfigSection;

/* Both end with an entry whose first member is NULL. Keys of a section stand together, in the sections'
 * order. */
extern const ConfigSection config_sections[];
extern const ConfigKey config_keys[];
