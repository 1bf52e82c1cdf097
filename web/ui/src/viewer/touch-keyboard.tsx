// Raises the on-screen keyboard and types what it gives into the desktop.
import { useImperativeHandle, useRef, type CompositionEvent, type FormEvent, type KeyboardEvent, type Ref } from "react";
import { isKeyName } from "./keys";
import type { Screen } from "./screen";

export interface TouchKeyboardHandle {
  toggle: () => void;
}

/** What must be typed to make `now` out of `before`: so many Backspaces, then text. Whole characters, no halves. */
function difference(before: string, now: string): [number, string] {
  const old = [...before], fresh = [...now];
  let common = 0;
  while (common < old.length && common < fresh.length && old[common] === fresh[common]) common++;
  return [old.length - common, fresh.slice(common).join("")];
}

// Something to delete must always stand there, or a keyboard reports no Backspace.
const PADDING = "\u00a0".repeat(32);

export function TouchKeyboard({ screen, handle }: { screen: () => Screen | null; handle: Ref<TouchKeyboardHandle> }) {
  const field = useRef<HTMLTextAreaElement>(null);
  const sent = useRef(PADDING); // what the desktop has got of the field's text
  const reset = () => {
    if (!field.current) return;
    sent.current = PADDING;
    field.current.value = PADDING;
    field.current.setSelectionRange(PADDING.length, PADDING.length);
  };
  useImperativeHandle(handle, () => ({
    toggle: () => {
      if (document.activeElement === field.current) {
        field.current?.blur();
        screen()?.focus();
      } else {
        reset();
        field.current?.focus({ preventScroll: true });
      }
    },
  }));

  /* Keyboards of phones compose every word and may change it until its end: each step is typed as it comes. The field is
   * only tidied up when nothing is being composed, or the keyboard loses the word it works on. */
  const follow = (value: string) => {
    const [backspaces, text] = difference(sent.current, value);
    for (let i = 0; i < backspaces; i++) screen()?.key("Backspace");
    screen()?.type(text);
    sent.current = value;
  };
  const typed = (event: FormEvent<HTMLTextAreaElement>) => {
    follow(event.currentTarget.value);
    if (!(event.nativeEvent as InputEvent).isComposing) reset();
  };
  const composed = (event: CompositionEvent<HTMLTextAreaElement>) => {
    follow(event.currentTarget.value);
    reset();
  };
  const pressed = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing || event.key === "Backspace" || !isKeyName(event.key)) return;
    event.preventDefault();
    screen()?.key(event.key);
  };

  return (
    <textarea ref={field} className="fw-touch-field" aria-label="Text for the desktop" autoCapitalize="off" autoComplete="off"
      autoCorrect="off" spellCheck={false} tabIndex={-1} defaultValue={PADDING} onInput={typed} onCompositionEnd={composed}
      onKeyDown={pressed} />
  );
}
