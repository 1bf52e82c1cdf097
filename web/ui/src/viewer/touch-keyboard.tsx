// Raises the on-screen keyboard and types what it gives into the desktop.
import { useImperativeHandle, useRef, type FormEvent, type KeyboardEvent, type Ref } from "react";
import { isKeyName } from "./keys";
import type { Screen } from "./screen";

export interface TouchKeyboardHandle {
  toggle: () => void;
}

// Something to delete must always stand there, or a keyboard reports no Backspace.
const PADDING = "\u00a0".repeat(32);

export function TouchKeyboard({ screen, handle }: { screen: () => Screen | null; handle: Ref<TouchKeyboardHandle> }) {
  const field = useRef<HTMLTextAreaElement>(null);
  const reset = () => {
    if (!field.current) return;
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

  const typed = (event: FormEvent<HTMLTextAreaElement>) => {
    const value = event.currentTarget.value;
    if ((event.nativeEvent as InputEvent).isComposing) return;
    let common = 0;
    while (common < PADDING.length && common < value.length && value[common] === PADDING[common]) common++;
    for (let i = common; i < PADDING.length; i++) screen()?.key("Backspace");
    screen()?.type(value.slice(common));
    reset();
  };
  const pressed = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing || event.key === "Backspace" || !isKeyName(event.key)) return;
    event.preventDefault();
    screen()?.key(event.key);
  };

  return (
    <textarea ref={field} className="fw-touch-field" aria-label="Text for the desktop" autoCapitalize="off" autoComplete="off"
      autoCorrect="off" spellCheck={false} tabIndex={-1} defaultValue={PADDING} onInput={typed} onCompositionEnd={typed}
      onKeyDown={pressed} />
  );
}
