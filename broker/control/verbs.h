/* The one verb table: dispatch, validation, the CLI's commands and help, REST routes, OpenAPI and the role
 * test all come from it. Knows no store and no socket, so that the CLI can have it too. */
#pragma once

#include <json-glib/json-glib.h>

typedef enum {
    VERB_SESSION_LOGIN,
    VERB_SESSION_LOGOUT,
    VERB_SESSION_WHOAMI,
    VERB_PASSWORD_CHANGE,
    VERB_DESKTOP_MINE,
    VERB_DESKTOP_CONNECT,
    VERB_DESKTOP_RDP_FILE,
    VERB_DESKTOP_THUMBNAIL,
    VERB_DESKTOP_POWER,
    VERB_USER_ADD,
    VERB_USER_LIST,
    VERB_USER_SHOW,
    VERB_USER_PASSWD,
    VERB_USER_DISABLE,
    VERB_USER_ENABLE,
    VERB_USER_REMOVE,
    VERB_TEMPLATE_ADD,
    VERB_TEMPLATE_LIST,
    VERB_TEMPLATE_SHOW,
    VERB_TEMPLATE_REMOVE,
    VERB_DESKTOP_CREATE,
    VERB_DESKTOP_LIST,
    VERB_DESKTOP_SHOW,
    VERB_DESKTOP_START,
    VERB_DESKTOP_STOP,
    VERB_DESKTOP_RESTART,
    VERB_DESKTOP_RESET,
    VERB_DESKTOP_REMOVE,
    VERB_ASSIGN,
    VERB_UNASSIGN,
    VERB_SESSION_LIST,
    VERB_SESSION_KILL,
    VERB_ENCODER_LIST,
    VERB_AUDIT,
    VERB_STATUS,
    VERB_API_ROUTES,
    VERB_API_OPENAPI,
    VERB_COUNT
} VerbId;

typedef enum {
    ROLE_ANY,   /* nobody has to be logged in */
    ROLE_USER,  /* needs a session handle, on the admin socket too */
    ROLE_ADMIN, /* the admin socket itself, or the session of an admin */
} VerbRole;

typedef enum {
    ARGUMENT_NAME,    /* [A-Za-z0-9][A-Za-z0-9._-]{0,62} */
    ARGUMENT_TEXT,    /* UTF-8 without control characters, minimum .. maximum bytes */
    ARGUMENT_PATH,    /* absolute, or "" where it is not required */
    ARGUMENT_SECRET,  /* up to maximum bytes; the CLI never takes it from its arguments */
    ARGUMENT_INTEGER, /* minimum .. maximum; decimal text is taken too */
    ARGUMENT_BOOLEAN,
    ARGUMENT_CHOICE, /* one of choices, separated by | */
} ArgumentType;

typedef struct {
    const char *name;
    ArgumentType type;
    gboolean required;
    gboolean positional; /* in the CLI; others are --options */
    gint64 minimum, maximum;
    const char *preset; /* as text; NULL: none */
    const char *choices;
    const char *text;
} VerbArgument;

#define VERB_ARGUMENTS_MAX 16

/* What an answer is made of. */
typedef enum {
    OBJECT_NONE,
    OBJECT_USER,
    OBJECT_TEMPLATE,
    OBJECT_DESKTOP,
    OBJECT_SESSION,
    OBJECT_AUDIT,
    OBJECT_ENCODER,
    OBJECT_STATUS,
    OBJECT_LOGIN,
    OBJECT_WHOAMI,
    OBJECT_TICKET,
    OBJECT_RDP_FILE,
    OBJECT_THUMBNAIL,
    OBJECT_ROUTE,
    OBJECT_OPENAPI,
    OBJECT_COUNT
} VerbObject;

typedef struct {
    const char *name;
    VerbRole role;
    const char *method, *route; /* below /api/v1/; NULL: not over REST */
    const char *command;        /* of the CLI; NULL: none */
    VerbObject object;
    gboolean list;                              /* the answer is an array of objects */
    gboolean changes;                           /* the answer comes after the effect is durable */
    const char *text;                           /* what it does, one sentence */
    VerbArgument arguments[VERB_ARGUMENTS_MAX]; /* a NULL name ends */
} Verb;

extern const Verb verbs[VERB_COUNT];

typedef enum { FIELD_TEXT, FIELD_OPTIONAL_TEXT, FIELD_INTEGER, FIELD_BOOLEAN, FIELD_OBJECTS } FieldType;

typedef struct {
    const char *name;
    FieldType type;
    gboolean column; /* shown in the CLI's tables */
} VerbField;

#define VERB_FIELDS_MAX 16

typedef struct {
    const char *name; /* OpenAPI schema */
    VerbField fields[VERB_FIELDS_MAX];
} VerbObjectTable;

extern const VerbObjectTable verb_objects[OBJECT_COUNT];

/* NULL: no such verb. */
const Verb *verb_find(const char *name);
VerbId verb_id(const Verb *verb);

gboolean verb_is_name(const char *text);

/* Checks the members of `given` (NULL: none) against the verb's arguments and returns a new object with
 * presets filled in and integers as integers. NULL: *problem gets a sentence (caller frees). Any thread. */
JsonObject *verb_arguments(const Verb *verb, JsonObject *given, char **problem);

/* The results of api.routes and api.openapi. */
JsonNode *verb_routes(void);
JsonNode *verb_openapi(const char *version);

/* What an error code is elsewhere. */
typedef struct {
    const char *code;
    int exit, http;
} VerbError;
extern const VerbError verb_errors[]; /* indexed by ControlResult, a NULL code ends */
