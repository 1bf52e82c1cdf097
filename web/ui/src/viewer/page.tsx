// The viewer: one canvas, a bar above it, and what is said over it.
import { useCallback, useEffect, useRef, useState } from "react";
import { useNavigate, useParams } from "react-router-dom";
import { api } from "../api/client";
import type { PowerAction } from "../api/types";
import { Confirm, type Question } from "../components/confirm";
import { useTitle } from "../components/hooks";
import { powerQuestion } from "../components/power";
import { useConnection } from "./connection";
import { Overlay } from "./overlay";
import { QUALITIES, type Quality, type Scaling } from "./screen";
import { Toolbar } from "./toolbar";
import { TouchKeyboard, type TouchKeyboardHandle } from "./touch-keyboard";

function useStored<T extends string>(key: string, allowed: readonly T[], otherwise: T): [T, (value: T) => void] {
  const [value, setValue] = useState<T>(() => {
    const stored = localStorage.getItem(key);
    return allowed.find((candidate) => candidate === stored) ?? otherwise;
  });
  const store = useCallback((next: T) => {
    localStorage.setItem(key, next);
    setValue(next);
  }, [key]);
  return [value, store];
}

function useFullScreen(): [boolean, () => void] {
  const [full, setFull] = useState(false);
  useEffect(() => {
    const changed = () => setFull(document.fullscreenElement !== null);
    document.addEventListener("fullscreenchange", changed);
    return () => document.removeEventListener("fullscreenchange", changed);
  }, []);
  const toggle = useCallback(() => {
    if (document.fullscreenElement) void document.exitFullscreen();
    else void document.querySelector(".fw-viewer")?.requestFullscreen().catch(() => undefined);
  }, []);
  return [full, toggle];
}

export default function ViewerPage() {
  const { name = "" } = useParams();
  const navigate = useNavigate();
  const [scaling, setScaling] = useStored<Scaling>("fernwerk.scaling", ["remote", "fit", "one"], "remote");
  const [quality, setQuality] = useStored<Quality>("fernwerk.quality", Object.keys(QUALITIES) as Quality[], "high");
  const [question, setQuestion] = useState<Question | null>(null);
  const [full, toggleFull] = useFullScreen();
  const [wantsDragging, setDragging] = useState(false);
  const dragging = wantsDragging && scaling === "one";
  const target = useRef<HTMLDivElement>(null);
  const keyboard = useRef<TouchKeyboardHandle>(null);
  const { phase, screen, reconnect } = useConnection(target, { desktop: name, scaling, quality, dragging });
  useTitle(name);

  const power = (action: PowerAction) => setQuestion(powerQuestion(name, action, () => api.power(name, action)));
  const current = useCallback(() => screen.current, [screen]);
  return (
    <div className="fw-viewer">
      <Toolbar desktop={name} screen={current} live={phase.kind === "live"} scaling={scaling} quality={quality} full={full} dragging={dragging} onDragging={setDragging}
        onScaling={setScaling} onQuality={setQuality} onFull={toggleFull} onKeyboard={() => keyboard.current?.toggle()}
        onPower={power} onLeave={() => navigate("/desktops")} />
      <div className="fw-screen" ref={target} />
      <TouchKeyboard screen={current} handle={keyboard} />
      <Overlay phase={phase} desktop={name} reconnect={reconnect} />
      <Confirm question={question} onClose={() => setQuestion(null)} />
    </div>
  );
}
