// A person's desktops as tiles, with what they show right now.
import {
  Button, Card, CardBody, CardFooter, CardHeader, CardTitle, Dropdown, DropdownItem, DropdownList, EmptyState,
  EmptyStateBody, Gallery, MenuToggle, Skeleton, Title,
} from "@patternfly/react-core";
import DesktopIcon from "@patternfly/react-icons/dist/esm/icons/desktop-icon";
import EllipsisVIcon from "@patternfly/react-icons/dist/esm/icons/ellipsis-v-icon";
import { useEffect, useState } from "react";
import { Link, useNavigate } from "react-router-dom";
import { api } from "../api/client";
import type { MyDesktop, PowerAction } from "../api/types";
import { Confirm, type Question } from "../components/confirm";
import { useLoaded, useTitle } from "../components/hooks";
import { POWER_ACTIONS, powerMakesSense, powerQuestion } from "../components/power";
import { Problem } from "../components/problem";
import { StateLabel } from "../components/state-label";

const THUMBNAIL_MS = 4000;

/** The newest picture; the last good one stays while the next is on its way. */
function Thumbnail({ desktop }: { desktop: MyDesktop }) {
  const [url, setUrl] = useState<string | null>(null);
  const running = desktop.state === "running";
  useEffect(() => {
    if (!running) return undefined;
    let current = true;
    let shown: string | null = null;
    const load = async () => {
      if (document.hidden) return;
      const response = await fetch(api.thumbnailUrl(desktop.name), { cache: "no-store" }).catch(() => null);
      if (!current || !response?.ok) return;
      const next = URL.createObjectURL(await response.blob());
      if (shown) URL.revokeObjectURL(shown);
      shown = next;
      setUrl(next);
    };
    void load();
    const timer = setInterval(() => void load(), THUMBNAIL_MS);
    return () => {
      current = false;
      clearInterval(timer);
      if (shown) URL.revokeObjectURL(shown);
      setUrl(null);
    };
  }, [desktop.name, running]);
  return running && url ? (
    <img className="fw-thumbnail" src={url} alt={`Screen of ${desktop.name}`} />
  ) : (
    <div className="fw-thumbnail fw-thumbnail-empty"><DesktopIcon /></div>
  );
}

function TileMenu({ desktop, ask }: { desktop: MyDesktop; ask: (question: Question) => void }) {
  const [open, setOpen] = useState(false);
  const power = (action: PowerAction) => powerQuestion(desktop.name, action, () => api.power(desktop.name, action));
  return (
    <Dropdown isOpen={open} onOpenChange={setOpen} onSelect={() => setOpen(false)} popperProps={{ position: "right" }}
      toggle={(ref) => (
        <MenuToggle ref={ref} variant="plain" isExpanded={open} onClick={() => setOpen(!open)}
          aria-label={`More for ${desktop.name}`} icon={<EllipsisVIcon />} />
      )}>
      <DropdownList>
        {POWER_ACTIONS.map(({ action, label, description }) => (
          <DropdownItem key={action} description={description} isDanger={action === "reset"} isDisabled={!powerMakesSense(action, desktop.state)}
            onClick={() => ask(power(action))}>
            {label}
          </DropdownItem>
        ))}
        <DropdownItem to={api.rdpUrl(desktop.name)} download={`${desktop.name}.rdp`}>Download .rdp file</DropdownItem>
      </DropdownList>
    </Dropdown>
  );
}

function Tile({ desktop, ask }: { desktop: MyDesktop; ask: (question: Question) => void }) {
  const navigate = useNavigate();
  const target = `/view/${encodeURIComponent(desktop.name)}`;
  return (
    <Card className="fw-tile" isFullHeight>
      <Link to={target} className="fw-tile-screen" aria-label={`Open ${desktop.name}`} tabIndex={-1}>
        <Thumbnail desktop={desktop} />
      </Link>
      <CardHeader actions={{ actions: <TileMenu desktop={desktop} ask={ask} />, hasNoOffset: true }}>
        <CardTitle component="h2">{desktop.name}</CardTitle>
      </CardHeader>
      <CardBody>
        <StateLabel state={desktop.state} />{" "}
        <span className="fw-dim">{desktop.connected ? "In use by you" : desktop.template}</span>
        {desktop.reason && <p className="fw-dim fw-reason">{desktop.reason}</p>}
      </CardBody>
      <CardFooter>
        <Button isBlock onClick={() => navigate(target)}>
          {desktop.state === "off" || desktop.state === "failed" ? "Start and open" : "Open"}
        </Button>
      </CardFooter>
    </Card>
  );
}

export function DesktopsPage() {
  const { data, error, reload } = useLoaded(api.myDesktops, 3000);
  const [question, setQuestion] = useState<Question | null>(null);
  useTitle("Desktops");
  const close = (done: boolean) => {
    setQuestion(null);
    if (done) void reload();
  };
  return (
    <>
      <Title headingLevel="h1" className="fw-title">Desktops</Title>
      <Problem error={error} />
      {!data && !error && <Skeleton height="16rem" width="20rem" screenreaderText="Loading desktops" />}
      {data?.length === 0 && (
        <EmptyState icon={DesktopIcon} titleText="No desktop is assigned to you" headingLevel="h2">
          <EmptyStateBody>Ask your administrator for one. It appears here at once.</EmptyStateBody>
        </EmptyState>
      )}
      <Gallery hasGutter minWidths={{ default: "min(100%, 17rem)" }} maxWidths={{ md: "24rem" }}>
        {data?.map((desktop) => <Tile key={desktop.name} desktop={desktop} ask={setQuestion} />)}
      </Gallery>
      <Confirm question={question} onClose={close} />
    </>
  );
}
