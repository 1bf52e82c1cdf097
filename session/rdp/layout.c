/* The table of keyboard layouts. A layout's own identifier comes first, else the language's usual layout. */
#include "session/rdp/layout.h"

typedef struct {
    guint32 klid;
    const char *layout, *variant;
} Layout;

static const Layout layouts[] = {
    {0x00000401, "ara", ""},         {0x00000402, "bg", ""},           {0x00030402, "bg", "phonetic"},
    {0x00000404, "us", ""},          {0x00000405, "cz", ""},           {0x00010405, "cz", "qwerty"},
    {0x00000406, "dk", ""},          {0x00000407, "de", ""},           {0x00010407, "de", ""},
    {0x00000408, "gr", ""},          {0x00000409, "us", ""},           {0x00010409, "us", "dvorak"},
    {0x00020409, "us", "intl"},      {0x00030409, "us", "dvorak-l"},   {0x00040409, "us", "dvorak-r"},
    {0x00060409, "us", "colemak"},   {0x0000040a, "es", ""},           {0x0001040a, "es", ""},
    {0x0000040b, "fi", ""},          {0x0000040c, "fr", ""},           {0x0002040c, "fr", "bepo"},
    {0x0000040d, "il", ""},          {0x0000040e, "hu", ""},           {0x0001040e, "hu", "qwerty"},
    {0x0000040f, "is", ""},          {0x00000410, "it", ""},           {0x00010410, "it", ""},
    {0x00000411, "jp", ""},          {0x00000412, "kr", ""},           {0x00000413, "nl", ""},
    {0x00000414, "no", ""},          {0x00000415, "pl", ""},           {0x00010415, "pl", "qwertz"},
    {0x00000416, "br", ""},          {0x00010416, "br", ""},           {0x00000418, "ro", ""},
    {0x00000419, "ru", ""},          {0x00010419, "ru", "typewriter"}, {0x0000041a, "hr", ""},
    {0x0000041b, "sk", ""},          {0x0001041b, "sk", "qwerty"},     {0x0000041c, "al", ""},
    {0x0000041d, "se", ""},          {0x0000041e, "th", ""},           {0x0000041f, "tr", ""},
    {0x0001041f, "tr", "f"},         {0x00000420, "pk", ""},           {0x00000422, "ua", ""},
    {0x00000423, "by", ""},          {0x00000424, "si", ""},           {0x00000425, "ee", ""},
    {0x00000426, "lv", ""},          {0x00000427, "lt", ""},           {0x00000429, "ir", ""},
    {0x0000042a, "vn", ""},          {0x0000042b, "am", ""},           {0x0000042c, "az", ""},
    {0x0000042f, "mk", ""},          {0x00000437, "ge", ""},           {0x00000439, "in", "hin-wx"},
    {0x0000043a, "mt", ""},          {0x0000043b, "no", "smi"},        {0x0000043f, "kz", ""},
    {0x00000804, "cn", ""},          {0x00000807, "ch", ""},           {0x00000809, "gb", ""},
    {0x0000080a, "latam", ""},       {0x0000080c, "be", ""},           {0x0001080c, "be", ""},
    {0x00000813, "be", ""},          {0x00000816, "pt", ""},           {0x0000081a, "rs", "latin"},
    {0x00000c0c, "ca", "fr-legacy"}, {0x00000c1a, "rs", ""},           {0x00001009, "ca", ""},
    {0x00011009, "ca", "multix"},    {0x0000100c, "ch", "fr"},         {0x00001809, "ie", ""},
    {0x00000452, "gb", "extd"},      {0x00000c07, "at", ""},           {0x00001007, "de", ""},
    {0x00000c09, "us", ""},
};

gboolean layout_from_klid(guint32 klid, const char **xkb_layout, const char **xkb_variant)
{
    const guint32 tries[] = {klid, klid & 0xffff, klid & 0x3ff};

    for (guint t = 0; t < G_N_ELEMENTS(tries); t++) {
        guint32 wanted = t < 2 ? tries[t] : tries[t] | 0x400;
        for (guint i = 0; klid != 0 && i < G_N_ELEMENTS(layouts); i++)
            if (layouts[i].klid == wanted) {
                *xkb_layout = layouts[i].layout;
                *xkb_variant = layouts[i].variant;
                return TRUE;
            }
    }
    *xkb_layout = *xkb_variant = "";
    return FALSE;
}
