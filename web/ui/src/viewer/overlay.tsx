// What is said over the picture while there is none, or an old one. Calm: the last picture stays visible behind it.
import { Button, Spinner } from "@patternfly/react-core";
import { useEffect, useState } from "react";
import { useNavigate } from "react-router-dom";
import type { Phase } from "./connection";

const QUIET_MS = 700; // a short break is not worth a word

function useQuiet(active: boolean): boolean {
  const [over, setOver] = useState(false);
  useEffect(() => {
    if (!active) {
      setOver(false);
      return undefined;
    }
    const timer = setTimeout(() => setOver(true), QUIET_MS);
    return () => clearTimeout(timer);
  }, [active]);
  return over;
}

export function Overlay({ phase, desktop, reconnect }: { phase: Phase; desktop: string; reconnect: () => void }) {
  const navigate = useNavigate();
  const waiting = phase.kind === "connecting" || phase.kind === "broken";
  const shown = useQuiet(waiting);
  if (phase.kind === "live" || (waiting && !shown)) return null;
  const back = <Button variant="link" onClick={() => navigate("/desktops")}>All desktops</Button>;
  return (
    <div className="fw-overlay" role="status" aria-live="polite">
      <div className="fw-overlay-card">
        {waiting && (
          <>
            <Spinner size="lg" aria-label="Connecting" />
            <h2>{phase.kind === "broken" ? "The connection was interrupted" : `Connecting to ${desktop}`}</h2>
            {phase.kind === "broken" && phase.why && <p>{phase.why}</p>}
            <p>{phase.kind === "broken" ? "Reconnecting by itself. Your desktop runs on." : "One moment, please."}</p>
            <div>{back}</div>
          </>
        )}
        {phase.kind === "taken" && (
          <>
            <h2>Continued on another device</h2>
            <p>Your desktop is open elsewhere now. You can take it back at any time.</p>
            <div><Button onClick={reconnect}>Continue here</Button>{back}</div>
          </>
        )}
        {phase.kind === "gone" && (
          <>
            <h2>{desktop} is not assigned to you</h2>
            <p>Ask your administrator if you think it should be.</p>
            <div><Button onClick={() => navigate("/desktops")}>All desktops</Button></div>
          </>
        )}
        {phase.kind === "ended" && (
          <>
            <h2>The session has ended</h2>
            <p>{phase.text || "It was ended by an administrator."} Your desktop runs on.</p>
            <div><Button onClick={reconnect}>Connect again</Button>{back}</div>
          </>
        )}
        {phase.kind === "failed" && (
          <>
            <h2>{phase.error.message}</h2>
            {phase.error.hint && <p>{phase.error.hint}</p>}
            <div><Button onClick={reconnect}>Try again</Button>{back}</div>
          </>
        )}
      </div>
    </div>
  );
}
