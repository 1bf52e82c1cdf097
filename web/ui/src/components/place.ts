// Where menus, hints and dialogs go: inside the viewer, since full screen shows nothing that is outside of it.
export const place = (): HTMLElement => document.querySelector<HTMLElement>(".fw-viewer") ?? document.body;
