// Where a login leads: straight into the only desktop, else to the tiles.
import { Bullseye, Spinner } from "@patternfly/react-core";
import { useEffect, useState } from "react";
import { Navigate } from "react-router-dom";
import { api } from "../api/client";

export function HomePage() {
  const [target, setTarget] = useState<string | null>(null);
  useEffect(() => {
    let current = true;
    api.myDesktops().then(
      (desktops) => {
        const only = desktops.length === 1 ? desktops[0] : undefined;
        if (current) setTarget(only ? `/view/${encodeURIComponent(only.name)}` : "/desktops");
      },
      () => current && setTarget("/desktops"),
    );
    return () => {
      current = false;
    };
  }, []);
  return target ? <Navigate to={target} replace /> : <Bullseye className="fw-full"><Spinner aria-label="Loading" /></Bullseye>;
}
