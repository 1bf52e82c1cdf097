// Keysyms of the toolbar's keys, and of what an on-screen keyboard types.

export const keys = {
  Control: [0xffe3, "ControlLeft"],
  Alt: [0xffe9, "AltLeft"],
  Super: [0xffeb, "MetaLeft"],
  Tab: [0xff09, "Tab"],
  Escape: [0xff1b, "Escape"],
  Enter: [0xff0d, "Enter"],
  Backspace: [0xff08, "Backspace"],
  Delete: [0xffff, "Delete"],
  ArrowLeft: [0xff51, "ArrowLeft"],
  ArrowUp: [0xff52, "ArrowUp"],
  ArrowRight: [0xff53, "ArrowRight"],
  ArrowDown: [0xff54, "ArrowDown"],
  Home: [0xff50, "Home"],
  End: [0xff57, "End"],
} as const satisfies Record<string, readonly [number, string]>;

export type KeyName = keyof typeof keys;

export function isKeyName(name: string): name is KeyName {
  return name in keys;
}

/** X11's rule: Latin-1 is itself, all else is Unicode plus 0x01000000. */
export function keysymOf(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  if (code === 0x0a || code === 0x0d) return keys.Enter[0];
  if (code === 0x09) return keys.Tab[0];
  return code < 0x100 ? code : 0x01000000 + code;
}

/** A guess at the XKB layout of this machine's keyboard, for login screens; "" when unknown. */
export async function guessLayout(): Promise<string> {
  const keyboard = (navigator as { keyboard?: { getLayoutMap?: () => Promise<Map<string, string>> } }).keyboard;
  const map = await keyboard?.getLayoutMap?.().catch(() => undefined);
  const language = navigator.language.toLowerCase();
  if (map?.get("KeyY") === "z") return language === "de-ch" ? "ch" : "de";
  if (map?.get("KeyQ") === "a") return language === "fr-be" || language === "nl-be" ? "be" : "fr";
  if (map) return language === "en-gb" ? "gb" : map.get("BracketLeft") === "[" ? "us" : plainLanguage(language);
  return plainLanguage(language);
}

function plainLanguage(language: string): string {
  const exact: Record<string, string> = { "en-gb": "gb", "de-ch": "ch", "pt-br": "br", "fr-ca": "ca", "en-us": "us" };
  const [first = ""] = language.split("-");
  const general: Record<string, string> = {
    en: "us", da: "dk", sv: "se", cs: "cz", el: "gr", ja: "jp", ko: "kr", uk: "ua", nb: "no",
  };
  return exact[language] ?? general[first] ?? (/^[a-z]{2}$/.test(first) ? first : "");
}
