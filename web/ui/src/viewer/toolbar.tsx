// The bar over the picture: keys that browsers keep for themselves, size, quality, power.
import { Button, Dropdown, DropdownGroup, DropdownItem, DropdownList, MenuToggle, Tooltip } from "@patternfly/react-core";
import ArrowLeftIcon from "@patternfly/react-icons/dist/esm/icons/arrow-left-icon";
import ArrowsAltIcon from "@patternfly/react-icons/dist/esm/icons/arrows-alt-icon";
import CompressIcon from "@patternfly/react-icons/dist/esm/icons/compress-icon";
import ExpandIcon from "@patternfly/react-icons/dist/esm/icons/expand-icon";
import KeyboardIcon from "@patternfly/react-icons/dist/esm/icons/keyboard-icon";
import PowerOffIcon from "@patternfly/react-icons/dist/esm/icons/power-off-icon";
import SlidersHIcon from "@patternfly/react-icons/dist/esm/icons/sliders-h-icon";
import TimesIcon from "@patternfly/react-icons/dist/esm/icons/times-icon";
import { useEffect, useState, type ReactNode } from "react";
import { api } from "../api/client";
import type { DesktopState, PowerAction } from "../api/types";
import { place } from "../components/place";
import { POWER_ACTIONS, powerMakesSense } from "../components/power";
import type { KeyName } from "./keys";
import type { Quality, Scaling, Screen } from "./screen";

interface Props {
  desktop: string;
  screen: () => Screen | null;
  live: boolean;
  scaling: Scaling;
  quality: Quality;
  full: boolean;
  dragging: boolean;
  onDragging: (on: boolean) => void;
  onScaling: (scaling: Scaling) => void;
  onQuality: (quality: Quality) => void;
  onFull: () => void;
  onKeyboard: () => void;
  onPower: (action: PowerAction) => void;
  onLeave: () => void;
}

function Menu({ label, icon, onOpen, children }: { label: string; icon: ReactNode; onOpen?: () => void; children: ReactNode }) {
  const [open, setOpenState] = useState(false);
  const setOpen = (now: boolean) => {
    if (now) onOpen?.();
    setOpenState(now);
  };
  return (
    <Dropdown isOpen={open} onOpenChange={setOpen} onSelect={() => setOpen(false)}
      popperProps={{ position: "right", appendTo: place }}
      toggle={(ref) => (
        <MenuToggle ref={ref} variant="plain" aria-label={label} title={label} icon={icon} isExpanded={open}
          onClick={() => setOpen(!open)} />
      )}>
      {children}
    </Dropdown>
  );
}

interface ActionProps {
  label: string;
  icon: ReactNode;
  run: () => void;
  className?: string;
  /** Of a switch: it is on. */
  on?: boolean;
}

/* Pressing it takes the focus from nothing: the on-screen keyboard stays until it is told to go. */
function Action({ label, icon, run, className, on }: ActionProps) {
  return (
    <Tooltip content={label} appendTo={place}>
      <Button variant="plain" aria-label={label} icon={icon} onClick={run} className={className} isClicked={on}
        aria-pressed={on} onMouseDown={(event) => event.preventDefault()} />
    </Tooltip>
  );
}

/** The desktop's state is looked up when the menu opens. */
function PowerMenu({ desktop, run }: { desktop: string; run: (action: PowerAction) => void }) {
  const [state, setState] = useState<DesktopState>();
  const look = () => {
    api.myDesktops().then(
      (all) => setState(all.find(({ name }) => name === desktop)?.state),
      () => setState(undefined),
    );
  };
  return (
    <Menu label="Power" icon={<PowerOffIcon />} onOpen={look}>
      <DropdownList>
        {POWER_ACTIONS.map(({ action, label, description }) => (
          <DropdownItem key={action} description={description} isDanger={action === "reset"} isDisabled={!powerMakesSense(action, state)}
            onClick={() => run(action)}>
            {label}
          </DropdownItem>
        ))}
      </DropdownList>
    </Menu>
  );
}

const modifiers = [["Control", "Ctrl"], ["Alt", "Alt"], ["Super", "Win"]] as const;
const presses = [["Tab", "Tab"], ["Escape", "Esc"]] as const;

function Keys({ screen, live }: { screen: () => Screen | null; live: boolean }) {
  const [held, setHeld] = useState<ReadonlySet<KeyName>>(new Set());
  /* The server has released all keys of a connection that is gone. */
  useEffect(() => {
    if (!live) setHeld(new Set());
  }, [live]);
  const toggle = (key: KeyName) => {
    const next = new Set(held);
    const down = !next.delete(key);
    if (down) next.add(key);
    screen()?.key(key, down);
    screen()?.focus();
    setHeld(next);
  };
  const press = (run: () => void) => {
    run();
    for (const key of held) screen()?.key(key, false);
    setHeld(new Set());
    screen()?.focus();
  };
  return (
    <div className="fw-keys" role="group" aria-label="Keys">
      {modifiers.map(([key, label]) => (
        <button key={key} type="button" className="fw-key" aria-pressed={held.has(key)} disabled={!live}
          onClick={() => toggle(key)}>{label}</button>
      ))}
      {presses.map(([key, label]) => (
        <button key={key} type="button" className="fw-key" disabled={!live} onClick={() => press(() => screen()?.key(key))}>
          {label}
        </button>
      ))}
      <button type="button" className="fw-key" disabled={!live} onClick={() => press(() => screen()?.ctrlAltDel())}>
        Ctrl-Alt-Del
      </button>
    </div>
  );
}

const scalings = [["remote", "Desktop follows the window"], ["fit", "Fit to the window"], ["one", "Actual size (1:1)"]] as const;
const qualities = [["low", "Low (slow links)"], ["medium", "Medium"], ["high", "High"]] as const;

export function Toolbar(props: Props) {
  return (
    <div className="fw-toolbar" role="toolbar" aria-label="Viewer">
      <Action label="All desktops" icon={<ArrowLeftIcon />} run={props.onLeave} />
      <span className="fw-toolbar-name">{props.desktop}</span>
      <Keys screen={props.screen} live={props.live} />
      <span className="fw-spring" />
      {props.scaling === "one" && (
        <Action label="Move the picture" icon={<ArrowsAltIcon />} run={() => props.onDragging(!props.dragging)} on={props.dragging}
          className="fw-touch-only" />
      )}
      <Action label="Keyboard" icon={<KeyboardIcon />} run={props.onKeyboard} className="fw-touch-only" />
      <Menu label="Scaling and quality" icon={<SlidersHIcon />}>
        <DropdownGroup label="Scaling">
          <DropdownList>
            {scalings.map(([key, label]) => (
              <DropdownItem key={key} isSelected={props.scaling === key} onClick={() => props.onScaling(key)}>{label}</DropdownItem>
            ))}
          </DropdownList>
        </DropdownGroup>
        <DropdownGroup label="Quality">
          <DropdownList>
            {qualities.map(([key, label]) => (
              <DropdownItem key={key} isSelected={props.quality === key} onClick={() => props.onQuality(key)}>{label}</DropdownItem>
            ))}
          </DropdownList>
        </DropdownGroup>
      </Menu>
      <PowerMenu desktop={props.desktop} run={props.onPower} />
      <Action label={props.full ? "Leave full screen" : "Full screen"} icon={props.full ? <CompressIcon /> : <ExpandIcon />}
        run={props.onFull} />
      <Action label="Disconnect" icon={<TimesIcon />} run={props.onLeave} />
    </div>
  );
}
